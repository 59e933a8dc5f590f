// The guide's drawings: drawn from code, safe, readable on light and dark, and nothing runs off the card.
import { readdirSync, readFileSync } from 'node:fs';
import { Resvg } from '@resvg/resvg-js';
import { describe, expect, test } from 'vitest';
import { checkDiagram } from '../knowledge/diagrams/check.ts';
import { diagramColours, diagramStyle, inlineDiagram, paintDiagram } from '../knowledge/diagrams/palette.ts';
import { GuideError, loadGuide } from '../knowledge/index.ts';
import { toSvg } from '../scripts/diagrams/draw.ts';
import { drawings } from '../scripts/diagrams/drawings.ts';
import { smallChapter, writeGuide } from './support/guide-folder.ts';

const folder = new URL('../knowledge/guide/diagrams/', import.meta.url);
const fonts = ['', '-Bold', '-Oblique'].map(
  (weight) => new URL(`../node_modules/dejavu-fonts-ttf/ttf/DejaVuSans${weight}.ttf`, import.meta.url).pathname,
);
const kept = (name: string) => readFileSync(new URL(`${name}.svg`, folder), 'utf8');

test('drawing anew gives the kept files, byte for byte, and no other files are kept', () => {
  expect(drawings.length).toBeGreaterThanOrEqual(24);
  expect(
    readdirSync(folder)
      .filter((name) => name.endsWith('.svg'))
      .sort(),
  ).toEqual(drawings.map(({ name }) => `${name}.svg`).sort());
  for (const drawing of drawings) expect(toSvg(drawing) === kept(drawing.name), drawing.name).toBe(true);
});

describe.each(drawings.map(({ name }) => name))('%s', (name) => {
  test('passes the check and stays inside its card', () => {
    const svg = kept(name);
    expect(checkDiagram(svg)).toEqual([]);
    // Without its card, the box around all that is painted must lie inside the view box; the widest font is the judge.
    const bare = paintDiagram(svg, 'light').replace(/<rect[^>]*\/>/, '');
    const drawn = new Resvg(bare, {
      font: { loadSystemFonts: false, fontFiles: fonts, defaultFontFamily: 'DejaVu Sans' },
    });
    const box = drawn.getBBox();
    if (box === undefined) throw new Error('nothing is drawn');
    expect(box.x).toBeGreaterThanOrEqual(8);
    expect(box.y).toBeGreaterThanOrEqual(8);
    expect(box.x + box.width).toBeLessThanOrEqual(712);
    expect(box.y + box.height).toBeLessThanOrEqual(drawn.height - 6);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

/** WCAG 2.2: relative luminance and contrast. */
function contrast(one: string, other: string): number {
  const luminance = (hex: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

test('every ink reads at 4.5 to 1 or more on the card, the panel and its own wash, light and dark', () => {
  for (const scheme of ['light', 'dark'] as const) {
    for (const ink of ['ink', 'soft', 'blue', 'orange', 'green', 'purple', 'red', 'gold'] as const) {
      const wash = ink === 'ink' || ink === 'soft' ? 'panel' : (`${ink}Wash` as const);
      for (const ground of ['card', 'panel', wash] as const) {
        const found = contrast(diagramColours[ink][scheme], diagramColours[ground][scheme]);
        expect(found, `${ink} on ${ground}, ${scheme}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  }
});

test('painted it holds plain colours only; inlined it holds no style and no second title', () => {
  const svg = kept('lora-matrices');
  for (const scheme of ['light', 'dark'] as const) expect(paintDiagram(svg, scheme)).not.toMatch(/var\(|<style/);
  const inline = inlineDiagram(svg);
  expect(inline).toMatch(/^<svg aria-hidden="true"/);
  expect(inline).not.toMatch(/<style|<title|<desc/);
  expect(inline).toContain('var(--d-orange)');
});

const drawn = (
  inside: string,
  attributes = 'viewBox="0 0 720 300"',
  told = '<title>A</title><desc>What it shows</desc>',
) => `<svg xmlns="http://www.w3.org/2000/svg" ${attributes}>${told}<style>${diagramStyle}</style>${inside}</svg>`;

test.each([
  ['a script', drawn('<script>alert(1)</script>')],
  ['a handler', drawn('<rect width="1" height="1" onload="alert(1)"/>')],
  ['an outer picture', drawn('<image href="https://evil.example/x.png"/>')],
  ['a link', drawn('<a href="https://evil.example"><text>x</text></a>')],
  ['foreign content', drawn('<foreignObject><p>x</p></foreignObject>')],
  ['a fixed colour', drawn('<rect width="1" height="1" fill="#ffffff"/>')],
  ['an outer fill', drawn('<rect width="1" height="1" fill="url(https://evil.example/x)"/>')],
  ['a style attribute', drawn('<rect width="1" height="1" style="fill:red"/>')],
  ['no view box', drawn('', 'width="10"')],
  ['no description', drawn('', undefined, '<title>A</title>')],
  ['a style of its own', drawn('').replace(diagramStyle, '@import url(https://evil.example/x.css)')],
  ['something beside it', `${drawn('')}<p>x</p>`],
])('a drawing with %s is refused', (_, svg) => {
  expect(checkDiagram(svg)).not.toEqual([]);
  expect(checkDiagram(drawn('<rect width="1" height="1" fill="var(--d-blue)"/>'))).toEqual([]);
});

async function problemsOf(files: { readonly [path: string]: string }): Promise<string[]> {
  const error = await loadGuide(writeGuide(files)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof GuideError ? error.problems.map(({ message }) => message) : [];
}

const withPicture = (line: string) => smallChapter.replace('| split |', `${line}\n\n| split |`);
const shown = '![A gap between training and test](diagrams/gap.svg)';

test('a section tells its pictures; passages are what they would be without them', async () => {
  const files = { 'fitting.md': withPicture(shown), 'diagrams/gap.svg': drawn('') };
  const guide = await loadGuide(writeGuide(files));
  expect(guide.section('fitting', 'overfitting')?.pictures).toEqual([
    { name: 'gap', alt: 'A gap between training and test' },
  ]);
  expect(guide.diagrams?.map(({ name }) => name)).toEqual(['gap']);
  expect(guide.passages).toEqual((await loadGuide(writeGuide({ 'fitting.md': smallChapter }))).passages);
});

test.each([
  ['a drawing that is not there', withPicture(shown), undefined, /does not exist/],
  ['a drawing nobody shows', smallChapter, drawn(''), /no section shows it/],
  ['an unsafe drawing', withPicture(shown), drawn('<script>1</script>'), /<script> is not allowed/],
  [
    'a picture from elsewhere',
    withPicture('![A gap between two](https://evil.example/x.png)'),
    undefined,
    /not of the form/,
  ],
  ['a path out of the folder', withPicture('![A gap between two](diagrams/../x.svg)'), undefined, /not of the form/],
  ['a picture without words', withPicture('![](diagrams/gap.svg)'), drawn(''), /needs a text/],
  ['a picture inside a line', withPicture(`Look: ${shown}`), drawn(''), /stands alone/],
])('%s is a problem with file and line', async (_, chapter, svg, expected) => {
  const found = await problemsOf({ 'fitting.md': chapter, ...(svg === undefined ? {} : { 'diagrams/gap.svg': svg }) });
  expect(found.join('\n')).toMatch(expected);
});
