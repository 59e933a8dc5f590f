// How the search reads a question: typos, synonyms, fields, meaning by vectors, and the ranks of both joined.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSearch, type Embedder, loadGuide } from '../knowledge/index.ts';
import { fuseRankings } from '../knowledge/search/fuse.ts';
import { createSpelling } from '../knowledge/search/spelling.ts';
import { stem } from '../knowledge/search/stem.ts';
import { createSynonyms } from '../knowledge/search/synonyms.ts';
import { smallChapter, writeGuide } from './support/guide-folder.ts';
import { answerable, unanswerable } from './support/questions.ts';

const loadSmall = () => loadGuide(writeGuide({ 'fitting.md': smallChapter }));

test.each([
  ['what is overfitting', 'fitting#overfitting'],
  ['overfiting', 'fitting#overfitting'],
  ['voerfitting??', 'fitting#overfitting'],
  ['why does it memorise', 'fitting#overfitting'],
  ['DROPUOT', 'fitting#dropout'],
  ['drop-out', 'fitting#dropout'],
])('"%s" finds %s', async (question, id) => {
  const search = await createSearch({ guide: await loadSmall() });
  const { hits, covered } = await search.search(question, 3);
  expect(hits[0]?.passage.id).toBe(id);
  expect(covered).toBe(true);
});

test.each(['best pizza in Rome', 'what is a Boltzmann machine', '???', '', '   ', '99 12', 'the of and'])(
  '"%s" is not covered',
  async (question) => {
    const search = await createSearch({ guide: await loadSmall() });
    expect((await search.search(question, 3)).covered).toBe(false);
  },
);

test('any text at all gives a confidence from 0 to 1 and no more hits than asked for', async () => {
  const search = await createSearch({ guide: await loadSmall() });
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.integer({ min: 1, max: 5 }),
      async (text, limit) => {
        const { hits, confidence } = await search.search(text, limit);
        expect(hits.length).toBeLessThanOrEqual(limit);
        expect(confidence).toBeGreaterThanOrEqual(0);
        expect(confidence).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 200 },
  );
});

test('British and American spellings and all forms of a verb share a stem, apart from the adjective', () => {
  const forms = ['regularisation', 'regularization', 'regularize', 'regularising', 'regularized'];
  expect(new Set(forms.map(stem))).toHaveLength(1);
  expect(stem('regular')).not.toBe(stem('regularize'));
  expect(new Set(['overfit', 'overfits', 'overfitted', 'overfitting'].map(stem))).toHaveLength(1);
});

test('typos are mended by one or two letters, never short words, numbers or words far from the vocabulary', () => {
  const spelling = createSpelling(
    new Map([
      ['precision', 9],
      ['recall', 5],
      ['loss', 4],
      ['variance', 3],
    ]),
  );
  expect(spelling.correct('presicion')).toBe('precision');
  expect(spelling.correct('recal')).toBe('recall');
  expect(spelling.correct('varience')).toBe('variance');
  expect(spelling.correct('los')).toBeUndefined();
  expect(spelling.correct('pizza')).toBeUndefined();
  expect(spelling.correct('0.99999')).toBeUndefined();
});

test('the longest phrase is found first, whatever its spelling', () => {
  const synonyms = createSynonyms([['roc auc', 'auc', 'area under the curve'], ['curve']]);
  const stems = ['the', 'area', 'under', 'the', 'curve'].map(stem);
  expect(synonyms.phrasesAt(stems, 1)).toMatchObject([{ concept: '=roc-auc', length: 4 }]);
  expect(synonyms.phrasesAt(stems, 4)).toMatchObject([{ concept: '=curve', length: 1 }]);
});

test('fused scores are the sum of 1 / (60 + rank) over the rankings', () => {
  const fused = fuseRankings([
    ['a', 'b', 'c'],
    ['c', 'a'],
  ]);
  expect(fused.map(({ id }) => id)).toEqual(['a', 'c', 'b']);
  expect(fused[0]?.score).toBeCloseTo(1 / 61 + 1 / 62, 12);
  expect(fused[1]?.score).toBeCloseTo(1 / 63 + 1 / 61, 12);
});

test('an embedder brings up a passage that shares no word with the question', async () => {
  const embedder: Embedder = {
    id: 'fake',
    dimensions: 2,
    embed: async (texts) => {
      return texts.map((text) => (/switches off|absent/i.test(text) ? Float32Array.of(1, 0) : Float32Array.of(0, 1)));
    },
  };
  const blind: Embedder = { ...embedder, id: 'blind', embed: async (texts) => texts.map(() => Float32Array.of(1, 0)) };
  const guide = await loadSmall();
  const [plain, fused] = [await createSearch({ guide, embedder: blind }), await createSearch({ guide, embedder })];
  expect((await plain.search('absent colleagues', 5)).hits[0]?.passage.id).not.toBe('fitting#dropout');
  expect((await fused.search('absent colleagues', 5)).hits[0]?.passage.id).toBe('fitting#dropout');
});

test('overlap is the share of a question that a text holds, rare words weighing more', async () => {
  const search = await createSearch({ guide: await loadSmall() });
  const [all, none, rare, common] = search.overlap('dropout ensemble data', [
    'dropout of an ensemble on data',
    'nothing here',
    'ensemble',
    'data',
  ]);
  expect(all).toBe(1);
  expect(none).toBe(0);
  expect(rare).toBeGreaterThanOrEqual(common ?? 1);
});

const countLetters: Embedder = {
  id: 'letters',
  dimensions: 26,
  embed: async (texts) =>
    texts.map((text) => {
      const counts = new Float32Array(26);
      for (const letter of text.toLowerCase()) {
        const at = letter.charCodeAt(0) - 97;
        if (at >= 0 && at < 26) counts[at] = (counts[at] ?? 0) + 1;
      }
      const length = Math.hypot(...counts);
      return counts.map((count) => (length === 0 ? 0 : count / length));
    }),
};

test('a remembered index answers exactly as a fresh one; a torn or stale one is built again', async () => {
  const memory = mkdtempSync(join(tmpdir(), 'finetutor-memory-'));
  const kept = join(memory, 'search.json');
  const guide = await loadGuide();
  const questions = [...answerable.map(({ question }) => question), ...unanswerable].filter((_, i) => i % 25 === 0);
  const answers = async (shown: typeof guide) => {
    const search = await createSearch({ guide: shown, memory, embedder: countLetters });
    const results = await Promise.all(questions.map((question) => search.search(question, 5)));
    return results.map(({ hits, confidence }) => ({
      confidence,
      hits: hits.map(({ passage, score }) => ({ id: passage.id, score })),
    }));
  };
  const fresh = await answers(guide);
  const written = readFileSync(kept, 'utf8');
  expect(await answers(guide)).toEqual(fresh);
  expect(readFileSync(kept, 'utf8')).toBe(written);

  writeFileSync(kept, written.slice(0, 1000));
  expect(await answers(guide)).toEqual(fresh);
  expect(readFileSync(kept, 'utf8')).toBe(written);

  const [chapter] = guide.chapters;
  const other = { ...guide, hash: 'other', passages: guide.passages.filter((p) => p.chapterId === chapter?.id) };
  const found = (await answers(other)).flatMap(({ hits }) => hits.map(({ id }) => id));
  expect(found.every((id) => id.startsWith(`${chapter?.id}#`))).toBe(true);
  expect(await answers(guide)).toEqual(fresh);
}, 120_000);

test('a guide of another folder is indexed anew and leaves the memory alone', async () => {
  const memory = mkdtempSync(join(tmpdir(), 'finetutor-memory-'));
  const search = await createSearch({ guide: await loadSmall(), memory });
  expect((await search.search('what is dropout', 1)).hits[0]?.passage.id).toBe('fitting#dropout');
  expect(readdirSync(memory)).toEqual([]);
});
