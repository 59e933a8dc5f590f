// Each task from its file to its answers: data read and refused, a model that learns, figures by kind, an artifact that predicts.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createChatTemplate } from '../engine/data/chat-template.ts';
import { readDocuments } from '../engine/data/documents.ts';
import { readNumbers } from '../engine/data/numbers.ts';
import { readTagged } from '../engine/data/tagged.ts';
import { entityScores, findEntities } from '../engine/evaluate/entities.ts';
import { regressionMetrics } from '../engine/evaluate/regression.ts';
import { createRandom, type Random } from '../engine/random.ts';
import { type RunEvent, runEventSchema } from '../engine/runs/events.ts';
import { type RunSpecInput, runSpecSchema } from '../engine/runs/spec.ts';
import { loadPredictor } from '../engine/tuning/predict.ts';
import { train } from '../engine/tuning/train.ts';
import { only } from './support/kinds.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetutor-tasks-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}
const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join('\n');

async function run(spec: RunSpecInput): Promise<Extract<RunEvent, { type: 'done' }>> {
  let time = 0;
  const now = () => {
    time += 1000;
    return time;
  };
  let last: RunEvent | undefined;
  for await (const event of train(runSpecSchema.parse(spec), {
    signal: new AbortController().signal,
    resume: false,
    now,
  }))
    last = runEventSchema.parse(event);
  if (last?.type !== 'done') throw new Error(`the run ended with ${JSON.stringify(last)}`);
  return last;
}

const nouns = ['film', 'dog', 'house', 'garden', 'train', 'city', 'book', 'river'];
function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
}

describe('regression', () => {
  it('learns a number from a text and says it in the units of the data', async () => {
    const random = createRandom(1);
    const words = { awful: -40, dull: -20, fine: 0, good: 20, superb: 40 } as const;
    const names = Object.keys(words) as (keyof typeof words)[];
    const rows = Array.from({ length: 160 }, () => {
      const word = pick(random, names);
      return { review: `the ${pick(random, ['film', ...nouns])} was ${word}`, stars: 1000 + words[word] };
    });
    const data = await write('stars.jsonl', lines(rows));
    const out = join(folder, 'regression');
    const done = await run({
      task: 'regression',
      data: { train: data, columns: { text: 'review', label: 'stars' }, eval: 0.2 },
      hyper: { epochs: 14, batchSize: 16, maxLength: 16, learningRate: 0.002, seed: 3 },
      out,
    });
    const metrics = only('regression', done.metrics);
    expect(metrics.r2).toBeGreaterThan(0.8);
    expect(metrics.meanAbsoluteError).toBeLessThan(metrics.baselineAbsoluteError / 2);
    const predictor = await loadPredictor(out, { device: 'cpu' });
    const [low, high] = await predictor.predict(['the dog was awful', 'the dog was superb']);
    await predictor.close();
    expect(only('regression', low).value).toBeLessThan(985);
    expect(only('regression', high).value).toBeGreaterThan(1015);
  });

  it('scores as the definitions say', () => {
    const actual = [1, 2, 3, 4, 5];
    const metrics = regressionMetrics(actual, [2, 1, 4, 3, 5], { mean: 3, deviation: 2 });
    expect(metrics).toMatchObject({ meanSquaredError: 0.8, meanAbsoluteError: 0.8, loss: 0.2, examples: 5 });
    // scipy.stats.spearmanr gives 0.8; R² = 1 − 4/10.
    expect(metrics.spearman).toBeCloseTo(0.8, 12);
    expect(metrics.r2).toBeCloseTo(0.6, 12);
    expect(metrics.baselineAbsoluteError).toBeCloseTo(1.2, 12);
    // Ties share their ranks: scipy.stats.spearmanr([1, 2, 2, 3], [1, 3, 2, 4]) is 0.9486832980505138.
    expect(regressionMetrics([1, 2, 2, 3], [1, 3, 2, 4], { mean: 2, deviation: 1 }).spearman).toBeCloseTo(
      0.94868329805,
      10,
    );
  });

  it('refuses words where numbers should be, naming the line', async () => {
    const path = await write(
      'words.csv',
      `text,label\n${Array.from({ length: 12 }, (_, i) => `row ${i},high`).join('\n')}\n`,
    );
    await expect(readNumbers(path, { text: 'text', label: 'label' }, 'training')).rejects.toThrow(/line 2: “high”/);
  });
});

describe('token classification', () => {
  it('finds names in sentences, and its answers come word by word', async () => {
    const random = createRandom(2);
    const people = ['Ada', 'Grace', 'Alan', 'Emmy'] as const;
    const places = ['Paris', 'Rome', 'London'] as const;
    const sentences = Array.from({ length: 150 }, () => {
      const person = pick(random, people);
      const place = pick(random, places);
      return random.below(2) === 0
        ? `${person} B-PER\nlives O\nin O\n${place} B-LOC\n. O\n`
        : `The O\n${pick(random, ['train', ...nouns])} O\nto O\n${place} B-LOC\nwaits O\nfor O\n${person} B-PER\n`;
    });
    const data = await write('names.conll', sentences.join('\n'));
    const out = join(folder, 'tokens');
    const done = await run({
      task: 'token-classification',
      data: { train: data, eval: 0.2 },
      hyper: { epochs: 10, batchSize: 16, maxLength: 24, learningRate: 0.002 },
      out,
    });
    const metrics = only('classification', done.metrics);
    expect(metrics.entities?.f1).toBeGreaterThan(0.95);
    expect(metrics.perClass.map(({ label }) => label)).toEqual(['B-LOC', 'B-PER', 'O']);
    const predictor = await loadPredictor(out, { device: 'cpu' });
    const [answer] = await predictor.predict(['Grace lives in Rome.']);
    await predictor.close();
    const { words } = only('tokens', answer);
    expect(words.map(({ word, label }) => `${word}/${label}`)).toEqual([
      'Grace/B-PER',
      'lives/O',
      'in/O',
      'Rome/B-LOC',
      './O',
    ]);
    expect(await readFile(join(out, 'config.json'), 'utf8')).toContain('"BertForTokenClassification"');
  });

  it('counts whole names as conlleval does', () => {
    expect(findEntities(['B-PER', 'I-PER', 'O', 'I-LOC', 'B-LOC', 'I-ORG'])).toEqual([
      { type: 'PER', start: 0, end: 2 },
      { type: 'LOC', start: 3, end: 4 },
      { type: 'LOC', start: 4, end: 5 },
      { type: 'ORG', start: 5, end: 6 },
    ]);
    expect(findEntities(['S-PER', 'B-LOC', 'E-LOC', 'I-LOC'])).toEqual([
      { type: 'PER', start: 0, end: 1 },
      { type: 'LOC', start: 1, end: 3 },
      { type: 'LOC', start: 3, end: 4 },
    ]);
    // Two of three found are right, of four that are there.
    const actual = [
      ['B-PER', 'I-PER', 'O', 'B-LOC'],
      ['B-LOC', 'B-ORG'],
    ];
    const found = [
      ['B-PER', 'I-PER', 'O', 'O'],
      ['B-LOC', 'B-LOC'],
    ];
    expect(entityScores(actual, found)).toEqual({
      precision: 2 / 3,
      recall: 0.5,
      f1: expect.closeTo(4 / 7, 12),
      support: 4,
    });
    expect(entityScores([['noun', 'verb']], [['noun', 'noun']])).toBeUndefined();
  });

  it('refuses words and tags that do not pair, naming the line', async () => {
    const path = await write(
      'bad.jsonl',
      lines([
        { tokens: ['a', 'b'], tags: ['O', 'O'] },
        { tokens: ['a'], tags: ['O', 'O'] },
      ]),
    );
    await expect(readTagged(path, { tokens: 'tokens', tags: 'tags' }, 'training')).rejects.toThrow(
      'Line 2 of “bad.jsonl” has 1 words and 2 tags',
    );
  });
});

describe('masked language model', () => {
  it('learns what stands where, and fills in a hidden word', async () => {
    const random = createRandom(4);
    const pairs = [
      ['cat', 'milk'],
      ['dog', 'bones'],
      ['cow', 'grass'],
    ] as const;
    const texts = Array.from({ length: 150 }, () => {
      const [animal, food] = pick(random, pairs);
      return `the ${animal} likes ${food} in the ${pick(random, ['garden', ...nouns])}`;
    });
    const data = await write('animals.txt', texts.join('\n\n'));
    const out = join(folder, 'masked');
    const done = await run({
      task: 'masked-lm',
      data: { train: data, eval: 0.1 },
      hyper: { epochs: 25, batchSize: 16, maxLength: 16, learningRate: 0.002, maskShare: 0.25, patience: 0 },
      out,
    });
    const metrics = only('language-model', done.metrics);
    expect(metrics.perplexity).toBeCloseTo(Math.exp(metrics.loss), 10);
    expect(metrics.tokenAccuracy).toBeGreaterThan(0.5);
    const predictor = await loadPredictor(out, { device: 'cpu' });
    const [answer] = await predictor.predict(['the cat likes [MASK] in the garden']);
    await expect(predictor.predict(['nothing hidden'])).rejects.toThrow('the text has no [MASK]');
    await predictor.close();
    expect(
      only('filled', answer)
        .hidden[0]?.slice(0, 3)
        .map(({ token }) => token),
    ).toContain('milk');
  });
});

const stories = join(import.meta.dirname, '../../shared/data/stories260k-llama');
const qwen = join(import.meta.dirname, '../../shared/data/tok_qwen2/tokenizer_config.json');

describe('causal language model', () => {
  it.skipIf(!existsSync(stories))(
    'fine-tunes the stories checkpoint on question and answer, learning the answers alone',
    async () => {
      const rows = Array.from({ length: 40 }, (_, i) => ({
        prompt: `What does ${['Tom', 'Lily', 'Ben', 'Sue'][i % 4]} like?`,
        response: `${['Tom', 'Lily', 'Ben', 'Sue'][i % 4]} likes the big red ball.`,
      }));
      const data = await write(
        'likes.jsonl',
        lines([...rows, { prompt: 'What does Max like?', response: 'Max likes the big red ball.' }]),
      );
      const out = join(folder, 'causal');
      const done = await run({
        task: 'causal-lm',
        model: stories,
        data: { train: data, eval: 0.2 },
        hyper: { epochs: 8, batchSize: 8, maxLength: 64, learningRate: 0.002 },
        out,
      });
      const metrics = only('language-model', done.metrics);
      expect(metrics.tokenAccuracy).toBeGreaterThan(0.9);
      const predictor = await loadPredictor(out, { device: 'cpu' });
      const [answer] = await predictor.predict(['What does Lily like?']);
      await predictor.close();
      expect(only('continuation', answer).text).toContain('likes the big red ball.');
    },
  );

  it.skipIf(!existsSync(qwen))(
    'writes a chat with the model’s own template and marks what the assistant says',
    async () => {
      const template = createChatTemplate(JSON.parse(await readFile(qwen, 'utf8')));
      const parts = template.parts([
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello!' },
        { role: 'user', content: 'Bye' },
        { role: 'assistant', content: 'See you.' },
      ]);
      expect(parts).toEqual([
        {
          text: '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n',
          learnt: false,
        },
        { text: 'Hello!<|im_end|>\n', learnt: true },
        { text: '<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n', learnt: false },
        { text: 'See you.<|im_end|>\n', learnt: true },
      ]);
      expect(template.prompt([{ role: 'user', content: 'Hi' }])).toMatch(
        /<\|im_start\|>user\nHi<\|im_end\|>\n<\|im_start\|>assistant\n$/,
      );
    },
  );

  it('reads plain text, pairs and chats in the forms they are published in', async () => {
    const read = async (name: string, content: string) =>
      (await readDocuments(await write(name, content), 'auto')).items;
    expect(await read('a.txt', 'One.\nTwo.\n\nThree.\n')).toEqual([
      { kind: 'text', text: 'One.\nTwo.' },
      { kind: 'text', text: 'Three.' },
    ]);
    const pair = {
      kind: 'chat',
      messages: [
        { role: 'user', content: 'Add.\n\n1 2' },
        { role: 'assistant', content: '3' },
      ],
    };
    expect(await read('alpaca.json', JSON.stringify([{ instruction: 'Add.', input: '1 2', output: '3' }]))).toEqual([
      pair,
    ]);
    const messages = [
      { from: 'human', value: 'Hi' },
      { from: 'gpt', value: 'Hello' },
    ];
    expect(await read('share.json', JSON.stringify([{ conversations: messages, system: 'Be kind.' }]))).toEqual([
      {
        kind: 'chat',
        messages: [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Hello' },
        ],
      },
    ]);
    expect(await read('b.csv', 'prompt,response\nQ,A\n')).toMatchObject([{ kind: 'chat' }]);
    await expect(read('c.jsonl', lines([{ messages: [{ role: 'judge', content: 'x' }] }]))).rejects.toThrow(
      /Line 1 of “c.jsonl” has a message/,
    );
    await expect(read('d.jsonl', lines([{ other: 1 }]))).rejects.toThrow('No row of “d.jsonl” holds a text.');
  });
});

it('a model that has no head for a task is refused, saying what it can be trained for', async () => {
  const data = await write('text.txt', Array.from({ length: 20 }, (_, i) => `sentence number ${i}`).join('\n\n'));
  await expect(
    run({ task: 'causal-lm', model: 'scratch:tiny', data: { train: data }, out: join(folder, 'none') }),
  ).rejects.toThrow('scratch:tiny is a bert, which has no head for causal-lm.');
});
