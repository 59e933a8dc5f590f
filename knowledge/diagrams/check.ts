// A drawing is let into the guide only when it tells what it shows, reads on light and dark, and can do nothing but show.
import { fromHtml } from 'hast-util-from-html';
import { visit } from 'unist-util-visit';
import { type ColourName, diagramColours, diagramStyle } from './palette.ts';

const elements = new Set(
  ['svg', 'title', 'desc', 'style', 'g', 'path', 'rect', 'circle', 'ellipse', 'line', 'polyline', 'polygon'].concat([
    'text',
    'tspan',
  ]),
);
const attributes = new Set(
  ['xmlns', 'viewBox', 'width', 'height', 'role', 'x', 'y', 'x1', 'y1', 'x2', 'y2', 'dx', 'dy', 'cx', 'cy', 'r'].concat(
    [
      'rx',
      'ry',
      'd',
      'points',
      'transform',
      'opacity',
      'fill',
      'fillOpacity',
      'stroke',
      'strokeWidth',
      'strokeOpacity',
    ],
    ['strokeDashArray', 'strokeLineCap', 'strokeLineJoin', 'fontFamily', 'fontSize', 'fontWeight', 'fontStyle'],
    ['textAnchor'],
  ),
);

/** @returns what is wrong with it; nothing where it may be shown. */
export function checkDiagram(svg: string): readonly string[] {
  const problems = new Set<string>();
  const root = fromHtml(svg.trim(), { fragment: true, space: 'svg' });
  const [drawing] = root.children;
  if (root.children.length !== 1 || drawing?.type !== 'element' || drawing.tagName !== 'svg') {
    return ['it is not one <svg> element'];
  }
  const said = (name: string) =>
    drawing.children.some(
      (child) =>
        child.type === 'element' &&
        child.tagName === name &&
        child.children.some((text) => text.type === 'text' && text.value.trim() !== ''),
    );
  if (!said('title')) problems.add('it has no <title>');
  if (!said('desc')) problems.add('it has no <desc> that tells what it shows');
  if (!/^0 0 720 \d+$/.test(String(drawing.properties.viewBox))) problems.add('its viewBox is not "0 0 720 <height>"');

  visit(root, (node) => {
    if (node.type === 'comment' || node.type === 'doctype') problems.add('it holds a comment or a doctype');
    if (node.type !== 'element') return;
    if (!elements.has(node.tagName)) problems.add(`<${node.tagName}> is not allowed`);
    if (node.tagName === 'style') {
      const [style] = node.children;
      if (style?.type !== 'text' || style.value !== diagramStyle) problems.add('its <style> is not the shared palette');
    }
    for (const [name, value] of Object.entries(node.properties)) {
      if (!attributes.has(name)) problems.add(`the attribute ${name} is not allowed`);
      if ((name === 'fill' || name === 'stroke') && !isColour(String(value))) {
        problems.add(`${name}="${String(value)}" is no colour of the palette: it would not read on light and dark`);
      }
      if (name !== 'xmlns' && /url\(|javascript:|https?:|data:/i.test(String(value))) {
        problems.add(`${name}="${String(value)}" refers to something outside`);
      }
    }
  });
  return [...problems];
}

function isColour(value: string): boolean {
  const name = /^var\(--d-([a-zA-Z]+)\)$/.exec(value)?.[1];
  return value === 'none' || (name !== undefined && Object.hasOwn(diagramColours, name satisfies string as ColourName));
}
