// A language model in this process: what Transformers.js writes from a folder comes in pieces, and stops when told.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { env, pipeline } from '@huggingface/transformers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { learnWordPiece } from '../engine/data/vocabulary.ts';
import { exportTransformersJs } from '../engine/export/transformers-js.ts';
import { createModel } from '../engine/models/families.ts';
import { drawInitial } from '../engine/models/model.ts';
import { createRandom } from '../engine/random.ts';
import { loadHubWriter } from '../engine/transformers.ts';
import type { ChatMessage } from '../engine/tutor/wording/language-model.ts';

const folder = await mkdtemp(join(tmpdir(), 'finetutor-writer-'));
afterAll(() => rm(folder, { recursive: true }));

const config = {
  model_type: 'llama',
  vocab_size: 200,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 64,
  max_position_embeddings: 512,
};
const head = { kind: 'causal-lm' } as const;
const messages: readonly ChatMessage[] = [
  { role: 'system', content: 'a warm and clever comedy' },
  { role: 'user', content: 'the dull story of a dog' },
];

beforeAll(async () => {
  const { tokenizer, config: tokenizerConfig } = learnWordPiece(
    ['a lovely film about people in a town', 'the dull story of a dog', 'what a warm and clever comedy'],
    { vocabularySize: 200 },
  );
  const model = createModel(config, 'llama');
  const random = createRandom(3);
  // Large enough that it does not write the same word for ever.
  const weights = new Map(
    Array.from(model.parameters(head), ([name, spec]) => {
      const { shape, data } = drawInitial(spec, random);
      const isDrawn = spec.initial !== 'ones' && spec.initial !== 'zeros';
      return [name, { shape, data: isDrawn ? data.map((value) => value * 8) : data }];
    }),
  );
  const files = {
    'config.json': { ...config, architectures: [model.architecture(head)] },
    'generation_config.json': { eos_token_id: 199, bos_token_id: 1, pad_token_id: 0 },
    'tokenizer.json': tokenizer,
    'tokenizer_config.json': {
      ...tokenizerConfig,
      chat_template: '{% for message in messages %}{{ message.content }} {% endfor %}',
    },
  };
  await exportTransformersJs({ model, head, weights, files }, folder, ['fp32']);
});

async function collect(pieces: AsyncIterable<string>, upTo = Number.POSITIVE_INFINITY, stop = () => {}) {
  const all: string[] = [];
  for await (const piece of pieces) {
    all.push(piece);
    if (all.length === upTo) stop();
  }
  return all;
}

test('its pieces are the words that the model writes when asked for them at once', async () => {
  const writer = loadHubWriter(folder, undefined);
  await writer.ready;
  const pieces = await collect(writer.write(messages, new AbortController().signal));
  env.localModelPath = join(folder, '..');
  const whole = await pipeline('text-generation', basename(folder), { dtype: 'fp32' });
  const output = await whole([...messages], { max_new_tokens: 400, do_sample: false });
  const written = JSON.stringify(output).match(/"assistant","content":"([^"]*)"/)?.[1];
  expect(pieces.length).toBeGreaterThan(1);
  // A WordPiece that begins a text keeps its mark when it comes alone.
  expect(pieces.join('').replace(/^##/, '').trim()).toBe(written?.trim());
});

test('told to stop it stops, and is ready for the next', async () => {
  const writer = loadHubWriter(folder, undefined);
  const whole = await collect(writer.write(messages, new AbortController().signal));
  const cancel = new AbortController();
  const some = await collect(writer.write(messages, cancel.signal), 1, () => cancel.abort());
  expect(some.length).toBeLessThan(whole.length);
  expect(await collect(writer.write(messages, new AbortController().signal))).toEqual(whole);
});

test('a folder that is no model is refused by the name of its setting', async () => {
  await expect(loadHubWriter(tmpdir(), { cacheDir: folder, offline: true }).ready).rejects.toThrow(/LLM_MODEL/);
});
