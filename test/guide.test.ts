// The guide's files: what is read, what is refused and where, how sections become passages.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cutBlocks, GuideError, loadGuide } from '../knowledge/index.ts';
import { smallChapter, smallQuiz, writeGuide } from './support/guide-folder.ts';

async function problemsOf(chapter: string, quiz = smallQuiz, name = 'fitting'): Promise<string[]> {
  const folder = writeGuide({ [`${name}.md`]: chapter, [`quizzes/${name}.yaml`]: quiz });
  const error = await loadGuide(folder).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GuideError)) throw new Error(`expected a GuideError, got ${String(error)}`);
  return error.problems.map(({ file, line, message }) => `${file.split('/').at(-1)}:${line}: ${message}`);
}

test('a chapter is read into an overview and its sections, with asks apart from the text', async () => {
  const guide = await loadGuide(writeGuide({ 'fitting.md': smallChapter, 'quizzes/fitting.yaml': smallQuiz }));
  const [chapter] = guide.chapters;
  expect(chapter?.sections.map(({ id, title }) => [id, title])).toEqual([
    ['overview', 'Overview'],
    ['overfitting', 'Overfitting'],
    ['dropout', 'Dropout'],
  ]);
  const section = guide.section('fitting', 'dropout');
  expect(section?.asks).toHaveLength(6);
  expect(section?.markdown).not.toContain('asks:');
  expect(section?.markdown).toContain('## not a heading {#no}');
  expect(guide.quizItems.map(({ id, correctChoiceId }) => [id, correctChoiceId])).toEqual([
    ['fitting.gap', 'a'],
    ['fitting.units', 'b'],
    ['fitting.ensemble', 'a'],
  ]);
});

test('passages carry plain prose: no marks, no wrapped lines, links as their words', async () => {
  const guide = await loadGuide(writeGuide({ 'fitting.md': smallChapter, 'quizzes/fitting.yaml': smallQuiz }));
  const passage = guide.passages.find(({ id }) => id === 'fitting#overfitting');
  expect(passage?.title).toBe('Fitting well › Overfitting');
  expect(passage?.text).toContain(
    'Overfitting is when a model learns the noise of its training data as if it were a pattern. New data then suffers. See dropout.',
  );
  expect(passage?.text).toContain('train | 99 %');
});

test('a long section is cut between blocks and list items only, and nothing is lost', async () => {
  const items = Array.from({ length: 12 }, (_, i) => `- item ${i} ${'words '.repeat(30)}end${i}`).join('\n');
  const code = `\`\`\`\n${'code line\n\n'.repeat(150)}\`\`\``;
  const table = `| a | b |\n|---|---|\n${'| cell | cell |\n'.repeat(100)}`;
  const chapter = `${smallChapter}\n${items}\n\nThe code reads:\n\n${code}\n\n${table}`;
  const guide = await loadGuide(writeGuide({ 'fitting.md': chapter }));
  const passages = guide.passages.filter(({ sectionId }) => sectionId === 'dropout');
  expect(passages.map(({ id }) => id).slice(0, 3)).toEqual([
    'fitting#dropout',
    'fitting#dropout/2',
    'fitting#dropout/3',
  ]);
  for (const { markdown } of passages) {
    expect((markdown.match(/^```/gm) ?? []).length % 2).toBe(0);
    if (!markdown.includes('code line') && !markdown.includes('| cell'))
      expect(markdown.length).toBeLessThanOrEqual(1200);
  }
  const withCode = passages.find(({ markdown }) => markdown.includes('code line'));
  expect(withCode?.markdown).toMatch(/^The code reads:/);
  const whole = passages.map(({ markdown }) => markdown).join('\n');
  for (let i = 0; i < 12; i++) expect(whole).toMatch(new RegExp(`- item ${i} (words )+end${i}`));
  expect(whole.match(/\| cell \| cell \|/g)).toHaveLength(100);
});

test('sentences are cut as a reader would, and bold that spans a full stop stays whole', () => {
  const [paragraph] = cutBlocks('Use F1, e.g. for rare classes. **One. Two.** Then `a. B` ends. See [it](guide:a#b).');
  expect(paragraph?.sentences.map(({ prose }) => prose)).toEqual([
    'Use F1, e.g. for rare classes.',
    'One. Two.',
    'Then a. B ends.',
    'See it.',
  ]);
});

test('a missing field, a wrong type and a stray field of the front-matter are each named with file and line', async () => {
  const chapter = smallChapter
    .replace('phase: foundations\n', '')
    .replace('minutes: 10', 'minutes: ten')
    .replace('sources:', 'colour: red\nsources:');
  const problems = await problemsOf(chapter);
  expect(problems).toContainEqual(expect.stringMatching(/^fitting\.md:\d+: phase: /));
  expect(problems).toContainEqual(expect.stringMatching(/^fitting\.md:6: minutes: /));
  expect(problems).toContainEqual(expect.stringMatching(/colour/));
});

test('a section without an id, with a repeated id or with too few asks is refused', async () => {
  const line = smallChapter.split('\n').indexOf('## Dropout {#dropout}') + 1;
  expect(await problemsOf(smallChapter.replace(' {#dropout}', ''))).toContainEqual(
    `fitting.md:${line}: section "Dropout" has no id: write "## Title {#section-id}"`,
  );
  expect(await problemsOf(smallChapter.replace('{#dropout}', '{#overfitting}'))).toContainEqual(
    `fitting.md:${line}: section id "overfitting" stands twice in this chapter`,
  );
  expect(await problemsOf(smallChapter.replace(/<!-- asks: what is dropout.*-->/, ''))).toContainEqual(
    `fitting.md:${line}: section "dropout" lists 0 asks; at least 6 are needed`,
  );
});

test('a link to a section that does not exist is refused at its line', async () => {
  const line = smallChapter.split('\n').findIndex((text) => text.includes('guide:fitting#dropout')) + 1;
  expect(await problemsOf(smallChapter.replace('guide:fitting#dropout', 'guide:fitting#nowhere'))).toEqual([
    `fitting.md:${line}: link to guide:fitting#nowhere, which does not exist`,
  ]);
});

test('quiz items with a wrong answer key, equal texts, no feedback or an unknown section are all reported at once', async () => {
  const quiz = smallQuiz
    .replace('correct: b', 'correct: d')
    .replace('text: No gap', 'text: a wide gap')
    .replace('section: dropout', 'section: nowhere')
    .replace('fitting.ensemble', 'fitting.gap');
  const problems = await problemsOf(smallChapter, quiz);
  expect(problems).toContainEqual(expect.stringMatching(/fitting\.yaml:18: fitting\.units: no choice has the id "d"/));
  expect(problems).toContainEqual(expect.stringMatching(/fitting\.gap: two choices have the same text: "a wide gap"/));
  expect(problems).toContainEqual(expect.stringMatching(/section "fitting#nowhere" does not exist/));
  expect(problems).toContainEqual(expect.stringMatching(/quiz item id "fitting\.gap" stands twice/));
  const silent = smallQuiz.replace('"Whole layers stay."', '""');
  expect(await problemsOf(smallChapter, silent)).toEqual([
    expect.stringMatching(/^fitting\.yaml:15: 1\.choices\.0\.feedback: must not be empty$/),
  ]);
});

test('YAML that cannot be read is reported at its line', async () => {
  const line = smallChapter.split('\n').indexOf('title: Fitting well') + 1;
  const problems = await problemsOf(smallChapter.replace('title: Fitting well', 'title: "Fitting'));
  expect(problems[0]).toMatch(/^fitting\.md:\d+: not valid YAML/);
  expect(line).toBe(3);
});

test('an empty folder is an error, not an empty guide', async () => {
  await expect(loadGuide(writeGuide({}))).rejects.toThrow(/no chapter/);
});

test('the shipped guide is the same from memory as from its files, and a torn memory is read over', async () => {
  const memory = mkdtempSync(join(tmpdir(), 'finetutor-memory-'));
  const first = await loadGuide(undefined, memory);
  const kept = join(memory, 'guide.json');
  const second = await loadGuide(undefined, memory);
  expect(second.passages).toEqual(first.passages);
  expect(second.section('peft', 'lora')).toEqual(first.section('peft', 'lora'));
  expect(second.passages).not.toBe(first.passages);
  writeFileSync(kept, readFileSync(kept, 'utf8').slice(0, 1000));
  expect((await loadGuide(undefined, memory)).quizItems).toEqual(first.quizItems);
  expect(JSON.parse(readFileSync(kept, 'utf8')).contents.chapters).toHaveLength(first.chapters.length);
});

test('chapters come in the order of order.yaml, which names each once', async () => {
  const second = smallChapter.replace('id: fitting', 'id: another');
  const files = { 'fitting.md': smallChapter, 'another.md': second.replaceAll('guide:fitting', 'guide:another') };
  const ordered = await loadGuide(writeGuide({ ...files, 'order.yaml': '- fitting\n- another\n' }));
  expect(ordered.chapters.map(({ id }) => id)).toEqual(['fitting', 'another']);
  await expect(loadGuide(writeGuide({ ...files, 'order.yaml': '- fitting\n- nowhere\n- fitting\n' }))).rejects.toThrow(
    /order\.yaml:2: there is no chapter "nowhere"[\s\S]*order\.yaml:3: chapter "fitting" stands twice[\s\S]*chapter "another" is missing/,
  );
});

test('feedback that only repeats the verdict is refused', async () => {
  const verdict = smallQuiz.replace('"Whole layers stay."', '"Right: whole layers stay."');
  expect(await problemsOf(smallChapter, verdict)).toEqual([expect.stringMatching(/not begin with a verdict/)]);
});
