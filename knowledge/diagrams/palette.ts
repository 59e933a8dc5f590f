// The colours diagrams are drawn in, by name, for a light and a dark ground: a drawing holds `var(--d-name)`, never a colour.

export type Scheme = 'light' | 'dark';

/** Inks and hues read at 4.5 to 1 or more on the card, the panel and every wash. */
export const diagramColours = {
  card: { light: '#fffefb', dark: '#1f211e' },
  panel: { light: '#f3f4f1', dark: '#2a2d29' },
  line: { light: '#c6c9c4', dark: '#565b52' },
  ink: { light: '#23211d', dark: '#ebe8e0' },
  soft: { light: '#5b574e', dark: '#b9b5aa' },
  blue: { light: '#1d4fc4', dark: '#9cbeff' },
  blueWash: { light: '#e4ecfd', dark: '#26344f' },
  orange: { light: '#a63a09', dark: '#ffab80' },
  orangeWash: { light: '#fdeadf', dark: '#452c20' },
  green: { light: '#08663f', dark: '#70d6aa' },
  greenWash: { light: '#def3ea', dark: '#1c3d30' },
  purple: { light: '#6a2fb3', dark: '#cfaaff' },
  purpleWash: { light: '#efe6fb', dark: '#392b4e' },
  red: { light: '#ab2330', dark: '#ff9ea5' },
  redWash: { light: '#fce5e7', dark: '#48272b' },
  gold: { light: '#775300', dark: '#eac55f' },
  goldWash: { light: '#fbf0d0', dark: '#41371d' },
} as const;

export type ColourName = keyof typeof diagramColours;

export const variableOf = (name: ColourName): string => `var(--d-${name})`;

const names = Object.keys(diagramColours).filter((name): name is ColourName => Object.hasOwn(diagramColours, name));

const rules = (scheme: Scheme) => names.map((name) => `--d-${name}:${diagramColours[name][scheme]}`).join(';');

/** What a drawing's own `<style>` holds, so that its file reads by itself on either ground. */
export const diagramStyle = `:root{${rules('light')}}@media (prefers-color-scheme:dark){:root{${rules('dark')}}}`;

/** The drawing with plain colours, for painters that know no variables. */
export function paintDiagram(svg: string, scheme: Scheme): string {
  return withoutStyle(svg).replace(/var\(--d-([a-zA-Z]+)\)/g, (whole, name: string) =>
    name in diagramColours ? diagramColours[name as ColourName][scheme] : whole,
  );
}

/** The drawing as a part of our page, which defines the variables; its words are the page's matter. */
export function inlineDiagram(svg: string): string {
  return withoutStyle(svg)
    .replace(/<(title|desc)>[\s\S]*?<\/\1>/g, '')
    .replace(/^<svg /, '<svg aria-hidden="true" focusable="false" ');
}

const withoutStyle = (svg: string) => svg.trim().replace(/<style>[\s\S]*?<\/style>/, '');
