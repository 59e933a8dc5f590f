// Comparisons in learners' spelling get their table, and comparisons and sums the drawing that fits them.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { illustrate } from '../bot/chat/illustrate.ts';
import { text } from '../bot/chat/reply.ts';
import { createIllustrations } from '../engine/charts/illustrations.ts';
import { createPictures } from '../engine/charts/pictures.ts';
import { splitComparison } from '../engine/tutor/compare.ts';
import { createConcepts } from '../engine/tutor/concepts.ts';
import { createTutor } from '../engine/tutor/tutor.ts';
import { createSearch, loadGuide } from '../knowledge/index.ts';

const guide = await loadGuide();
const concepts = createConcepts(guide);

describe('the words of a comparison', () => {
  it.each([
    ['diffrence btw precison n recall', ['precison', 'recall']],
    ["what's the diff between A and B", ['A', 'B']],
    ['differance betwen ridge and lasso?', ['ridge', 'lasso']],
    ['comapre bagging with boosting', ['bagging', 'boosting']],
    ['ridge verses lasso', ['ridge', 'lasso']],
    ['is adam beter than sgd', ['adam', 'sgd']],
  ])('%j names its sides', (question, sides) => {
    expect(splitComparison(question)).toEqual(sides);
  });

  it.each(['compute precision and recall', 'a reference between the lines', 'what is an n gram', 'train n test'])(
    '%j compares nothing',
    (question) => {
      expect(splitComparison(question)).toBeUndefined();
    },
  );
});

describe('a name spelt wrong', () => {
  it.each([
    ['qlroa', 'QLoRA'],
    ['baging', 'Bagging'],
    ['precison', 'Precision'],
    ['grdient boosting', 'Gradient boosting'],
    ['the lasso', 'the lasso'],
  ])('%j is read as %j', (name, meant) => {
    expect(concepts.spelt(name).toLowerCase()).toBe(meant.toLowerCase());
  });

  it.each(['pizza', 'cat', 'fine', 'x1', 'kubernetes'])('%j is left alone', (name) => {
    expect(concepts.spelt(name)).toBe(name);
  });

  it('is found for every name of ten letters or more with two of them swapped, or it is left alone', () => {
    const names = guide.chapters
      .filter(({ id }) => id === 'glossary')
      .flatMap(({ sections }) => sections)
      .flatMap(({ markdown }) =>
        [...markdown.matchAll(/^- \*\*([a-z][a-z ]{9,})\*\*/gim)].flatMap(([, name]) => name ?? []),
      );
    expect(names.length).toBeGreaterThan(100);
    for (const name of names) {
      const swapped = `${name.slice(0, 4)}${name[5]}${name[4]}${name.slice(6)}`;
      expect([concepts.named(name)?.name, undefined]).toContain(concepts.named(concepts.spelt(swapped))?.name);
    }
  });
});

describe('an answer', async () => {
  const tutor = createTutor({ guide, search: await createSearch({ guide }) });
  const pictures = createPictures(mkdtempSync(join(tmpdir(), 'finetutor-comparisons-')));
  const illustrations = createIllustrations({ guide, pictures });

  it.each([
    ['lora vs qlroa', ['LoRA', 'QLoRA'], 'qlora'],
    ['baging or boosting', ['Bagging', 'Boosting'], 'bagging-boosting'],
    ['diffrence btw precison n recall', ['Precision', 'Recall'], 'confusion-matrix'],
    ['whats the diff between overfiting and underfitting', ['Overfitting', 'Underfitting'], 'fit-curves'],
  ])('to %j is a table with its drawing', async (question, heads, diagram) => {
    const answer = await tutor.ask(question, []);
    expect(answer.kind).toBe('comparison');
    for (const head of heads) expect(answer.markdown).toContain(`**${head}**`);
    const blocks = await illustrate([text(answer.markdown)], answer, illustrations);
    expect(blocks).toContainEqual(expect.objectContaining({ kind: 'picture', of: { diagram } }));
  });

  it.each([
    ['F1 with tp=40 fp=10 fn=5', 'confusion-matrix'],
    ['how many LoRA parameters for rank 8 on a 4096 x 4096 matrix', 'lora-matrices'],
  ])('to %j shows the drawing of its formula’s section', async (question, diagram) => {
    const answer = await tutor.ask(question, []);
    expect(answer.kind).toBe('sum');
    const blocks = await illustrate([text(answer.markdown)], answer, illustrations);
    expect(blocks).toContainEqual(expect.objectContaining({ kind: 'picture', of: { diagram } }));
  });
});
