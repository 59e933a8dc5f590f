// The guide's formulas: each one can be drawn, keeps its plain words, and comes to every front in its own form.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { fromHtml } from 'hast-util-from-html';
import { select, selectAll } from 'hast-util-select';
import { expect, test } from 'vitest';
import { illustrate } from '../bot/chat/illustrate.ts';
import type { Block } from '../bot/chat/message.ts';
import { text } from '../bot/chat/reply.ts';
import { renderReply as renderDiscord } from '../bot/fronts/discord/render.ts';
import { createPaint } from '../bot/fronts/terminal/paint.ts';
import { renderReply as renderTerminal } from '../bot/fronts/terminal/render.ts';
import { createDrawings } from '../bot/fronts/web/drawings.ts';
import { renderChapter } from '../bot/fronts/web/guide-pages.ts';
import { renderReply as renderWeb } from '../bot/fronts/web/render.ts';
import { createIllustrations } from '../engine/charts/illustrations.ts';
import { createPictures } from '../engine/charts/pictures.ts';
import { drawFormula } from '../knowledge/formulas/draw.ts';
import { readFormula, withFormulasInWords } from '../knowledge/formulas/written.ts';
import { loadGuide, renderMarkdown } from '../knowledge/index.ts';
import { readChapter } from '../knowledge/load/chapter.ts';
import { smallChapter } from './support/guide-folder.ts';

const guide = await loadGuide();
const memory = mkdtempSync(join(tmpdir(), 'finetutor-formulas-'));
const pictures = createPictures(join(memory, 'pictures'));
const illustrations = createIllustrations({ guide, pictures });

const gradientStep = '```math\n% w ← w − η·g\n%> η: learning rate\nw \\leftarrow w - \\eta\\, g\n```';

test('at least 60 formulas stand in the guide, and TeX understands every one', async () => {
  const formulas = guide.formulas ?? [];
  expect(formulas.length).toBeGreaterThanOrEqual(60);
  for (const { tex, words } of formulas) {
    const { svg, width, height } = await drawFormula(tex, memory).catch((error: unknown) => {
      throw new Error(`${words}: ${String(error)}`);
    });
    expect(svg).not.toMatch(/<script|style=|href|id=|NaN/);
    // Whole, as a painter reads it.
    expect(() =>
      new Resvg(svg, { font: { loadSystemFonts: false }, fitTo: { mode: 'width', value: 400 } }).render(),
    ).not.toThrow();
    expect(width).toBeGreaterThan(1);
    expect(width, words).toBeLessThan(45);
    expect(height).toBeGreaterThan(1);
  }
}, 60_000);

test('what TeX does not understand is an error that names it', async () => {
  await expect(drawFormula('\\frac{a', memory)).rejects.toThrow('Missing close brace');
  await expect(drawFormula('\\foo', memory)).rejects.toThrow('Undefined control sequence \\foo');
});

test('a formula is its words, its notes and its TeX; one without words is refused', () => {
  expect(readFormula('% a = b\n%\n% c\n%> b: a letter\na = b')).toEqual({
    words: 'a = b\n\nc',
    notes: ['b: a letter'],
    tex: 'a = b',
  });
  expect(readFormula('a = b')).toBeUndefined();
  expect(readFormula('% a = b')).toBeUndefined();
  const broken = readChapter(`${smallChapter}\n\`\`\`math\na = b\n\`\`\``, 'fitting.md', 'fitting');
  expect(broken.problems.map(({ message }) => message)).toEqual([
    'a formula begins with a line "% the formula in plain words"',
  ]);
});

test('passages hold the words, as if the formula had been written in plain text', () => {
  const plain = readChapter(`${smallChapter}\n\`\`\`text\nw ← w − η·g\n\`\`\``, 'fitting.md', 'fitting');
  const drawn = readChapter(`${smallChapter}\n${gradientStep}`, 'fitting.md', 'fitting');
  expect(withFormulasInWords(gradientStep)).toBe('```text\nw ← w − η·g\n```');
  expect(drawn.passages).toEqual(plain.passages);
});

test('Markdown from anybody shows no drawing: a formula stays words, a picture is dropped', () => {
  const html = renderMarkdown(`${gradientStep}\n\n![A dart board](diagrams/dart-boards.svg)`, { linkTo: () => '#' });
  expect(html).toContain('w ← w − η·g');
  expect(html).not.toMatch(/<svg|<img|leftarrow/);
});

const answer = {
  kind: 'explanation',
  abstained: false,
  citations: [{ chapterId: 'bias-variance', sectionId: 'dart-board', title: 'Bias › Dart board', quote: 'q' }],
} as const;
const formula = guide.formulas?.find(({ words }) => words.startsWith('variance of an average of M models'));
const sources: Block = { kind: 'sources', sources: [] };

async function answered(): Promise<readonly Block[]> {
  if (formula === undefined) throw new Error('the guide has lost the variance of an average');
  const blocks = [text(`Averaging helps.\n\n\`\`\`text\n${formula.words}\n\`\`\`\n\nThat is all.`), sources];
  return illustrate(blocks, answer, illustrations);
}

test('an answer shows the formula where its words stood and the diagram of its section before the sources', async () => {
  const blocks = await answered();
  expect(blocks.map(({ kind }) => kind)).toEqual(['text', 'picture', 'text', 'picture', 'sources']);
  const [, first, , second] = blocks;
  if (first?.kind !== 'picture' || second?.kind !== 'picture') throw new Error('two pictures were expected');
  expect(first.alt).toBe(formula?.words);
  expect(second.of).toEqual({ diagram: 'dart-boards' });
  expect(second.alt).toContain('Four dart boards');
  for (const { pictureId, width } of [first, second]) {
    expect((await pictures.get(pictureId))?.length).toBeGreaterThan(2000);
    expect(width).toBeGreaterThan(900);
  }
});

test('a text block that is no formula of the guide, a correction and a refusal stay as they are', async () => {
  const blocks = [text('```text\nx = 1\n```'), sources];
  expect(await illustrate(blocks, { ...answer, citations: [] }, illustrations)).toEqual(blocks);
  expect(await illustrate(blocks, { ...answer, kind: 'correction' }, illustrations)).toEqual(blocks);
  expect(await illustrate(blocks, { ...answer, abstained: true }, illustrations)).toEqual(blocks);
});

test('the page shows drawings inline, with words for those who cannot see them', async () => {
  const blocks = await answered();
  const drawings = createDrawings(guide);
  await drawings.prepare([formula?.words ?? '']);
  const page = fromHtml(
    renderWeb({ audience: 'everyone', blocks }, { idPrefix: 'm', fileHref: () => undefined, drawings }),
    { fragment: true },
  );
  expect(select('img', page)).toBeUndefined();
  expect(select('.formula [role=img]', page)?.properties.ariaLabel).toBe(formula?.words);
  expect(select('.formula figcaption', page)).toBeDefined();
  expect(select('figure.diagram svg', page)).toBeDefined();
  // Without the drawings at hand, the pictures are shown.
  const bare = renderWeb({ audience: 'everyone', blocks }, { idPrefix: 'm', fileHref: () => undefined });
  expect(selectAll('img', fromHtml(bare, { fragment: true }))).toHaveLength(2);
});

test('Discord gets galleries of attached PNGs with alt texts; the terminal the words', async () => {
  const blocks = await answered();
  const reply = { audience: 'everyone', blocks } as const;
  const terminal = renderTerminal(reply, {
    width: 80,
    paint: createPaint(false),
    picturePath: (id) => `/pictures/${id}`,
    sectionUrl: () => undefined,
    firstNumber: 1,
  }).text;
  expect(terminal).toContain(formula?.words.split('\n')[0]);
  expect(terminal).toContain('Four dart boards');
  const [page] = renderDiscord(reply, { sectionUrl: () => undefined, fileBytes: 1e7 }).pages;
  expect(page?.files.map(({ description }) => description)).toEqual([
    expect.stringContaining('variance of an average'),
    expect.stringContaining('Four dart boards'),
  ]);
});

test('a chapter of the guide shows its drawings and formulas inline, none twice by mistake', async () => {
  const chapter = guide.chapter('bias-variance');
  if (chapter === undefined) throw new Error('no such chapter');
  const html = String(await renderChapter(guide, chapter, createDrawings(guide)));
  const page = fromHtml(html, { fragment: true });
  expect(selectAll('#dart-board figure.diagram', page)).toHaveLength(1);
  expect(selectAll('.formula svg', page).length).toBeGreaterThanOrEqual(3);
  expect(html).not.toMatch(/```|\\text\{|% y = f/);
  expect(html).not.toMatch(/<svg[^>]*>[\s\S]{0,80}<style/);
});
