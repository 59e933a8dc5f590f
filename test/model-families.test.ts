// What holds for every text family: names as checkpoints write them, adapters in either layout, and errors that say what is supported.
import { describe, expect, test } from 'vitest';
import type { FloatTensor } from '../engine/graph/tensor.ts';
import { createModel } from '../engine/models/families.ts';
import { loraA, loraB } from '../engine/models/layers.ts';
import type { Head, HeadKind, TextModel } from '../engine/models/model.ts';
import { tokenObjective } from '../engine/tuning/losses.ts';
import { createNetwork } from '../engine/tuning/network.ts';
import { mergeAdapters, type Parameters } from '../engine/tuning/parameters.ts';
import { textInputs } from '../engine/tuning/tasks/text-batches.ts';
import { modelOf, readCases, relativeError, seededWeight, seededWeights } from './support/oracle.ts';

const cases = ['encoders.json', 'gpt2.json', 'llama.json'].flatMap(readCases);
const models = new Map(cases.map((one) => [String(one.config.model_type), modelOf(one)]));
/** The first of each type: the plainest. */
const configs = new Map(cases.toReversed().map(({ config }) => [String(config.model_type), config]));
const heads: { readonly [Kind in HeadKind]: Extract<Head, { kind: Kind }> } = {
  classification: { kind: 'classification', labels: 3 },
  regression: { kind: 'regression', targets: 1 },
  'token-classification': { kind: 'token-classification', labels: 3 },
  'masked-lm': { kind: 'masked-lm' },
  contrast: { kind: 'contrast' },
  'causal-lm': { kind: 'causal-lm' },
  embedding: { kind: 'embedding' },
};

/** As PEFT's table of default targets has them, and its layer names of the others. */
const lora_layers: { readonly [type: string]: readonly string[] } = {
  bert: ['query', 'value'],
  roberta: ['query', 'value'],
  distilbert: ['q_lin', 'v_lin'],
  mpnet: ['q', 'v'],
  gpt2: ['c_attn'],
  llama: ['q_proj', 'v_proj'],
  mistral: ['q_proj', 'v_proj'],
  qwen2: ['q_proj', 'v_proj'],
  qwen3: ['q_proj', 'v_proj'],
};

describe.each([...models])('%s', (type, model) => {
  test('is checked by the oracle with a classification head and with that of its language model', () => {
    const kinds = cases.filter(({ config }) => config.model_type === type).map(({ head }) => head.kind);
    expect(kinds).toContain('classification');
    expect(kinds).toContain(model.direction === 'encoder' ? 'masked-lm' : 'causal-lm');
  });

  test('finds its body in checkpoints with and without the prefix, and has its own head first', () => {
    for (const kind of model.heads) {
      for (const [name, { part }] of model.parameters(heads[kind])) {
        const [first, ...others] = model.storedNames(name);
        expect(first).toBe(name);
        const bare = name.slice(name.indexOf('.') + 1);
        if (part === 'body') expect(others).toContain(bare);
      }
    }
  });

  test('adapts the layers that PEFT adapts', () => {
    const specs = model.parameters(heads.classification);
    expect([...new Set(model.loraTargets.map(({ name }) => name.split('.').at(-1)))]).toEqual(lora_layers[type]);
    for (const { name, layout } of model.loraTargets) {
      expect(specs.has(`${name}.weight`)).toBe(true);
      expect(layout).toBe(type === 'gpt2' ? 'in-out' : 'out-in');
    }
  });

  test('adapters of zero change nothing; merged they answer as beside the weights', async () => {
    const head = heads[model.direction === 'encoder' ? 'classification' : 'causal-lm'];
    const plain = { model, head, lora: undefined, trainable: seededWeights(model, head), frozen: new Map() };
    const base = await answer(plain);
    const beside = (b: (name: string, shape: readonly number[]) => FloatTensor) => {
      const trainable = new Map(plain.trainable);
      for (const { name, layout } of model.loraTargets) {
        const shape = trainable.get(`${name}.weight`)?.shape ?? [];
        const [out = 0, input = 0] = layout === 'in-out' ? shape.toReversed() : shape;
        trainable.set(loraA(name), seededWeight(loraA(name), [3, input]));
        trainable.set(loraB(name), b(loraB(name), [out, 3]));
      }
      const targets = new Set(model.loraTargets.map(({ name }) => name));
      return { ...plain, trainable, lora: { targets, scale: 0.7 } };
    };
    const zero = beside((_, shape) => ({ shape, data: new Float32Array((shape[0] ?? 0) * (shape[1] ?? 0)) }));
    expect(await answer(zero)).toEqual(base);
    const trained = beside(seededWeight);
    const apart = await answer(trained);
    expect(relativeError(apart, base)).toBeGreaterThan(0.01);
    const merged = await mergeAdapters({ model, weights: new Map() }, complete(trained));
    expect(relativeError(await answer({ ...plain, trainable: merged }), apart)).toBeLessThan(1e-5);
  });

  test('refuses an activation it does not know, naming those it knows', () => {
    const config = configs.get(type) ?? {};
    const field = ['hidden_act', 'activation', 'activation_function'].find((name) => name in config) ?? '';
    expect(() => createModel({ ...config, [field]: 'mish' }, 'config.json')).toThrow(
      `config.json: ${field} is "mish", which is not supported; supported: gelu, gelu_python, gelu_new`,
    );
  });
});

type Weighted = Pick<Parameters, 'head' | 'lora' | 'trainable' | 'frozen'> & { readonly model: TextModel };
const complete = (weighted: Weighted): Parameters => ({ ...weighted, modulesToSave: [], count: 0 });

async function answer(weighted: Weighted): Promise<Float32Array> {
  const network = createNetwork(complete(weighted), tokenObjective(0), { device: 'cpu', threads: 1 });
  const texts = [
    [4, 9, 17, 5, 22],
    [8, 11, 6],
  ];
  const answered = await network.answer(textInputs(texts, 2, { padId: 0, maxLength: weighted.model.maxLength }).inputs);
  await network.close();
  return answered;
}

test('the class of each head is named as in Hugging Face’s library', () => {
  const named = (type: string, kind: HeadKind) => models.get(type)?.architecture(heads[kind]);
  expect(named('bert', 'masked-lm')).toBe('BertForMaskedLM');
  expect(named('roberta', 'regression')).toBe('RobertaForSequenceClassification');
  expect(named('distilbert', 'token-classification')).toBe('DistilBertForTokenClassification');
  expect(named('mpnet', 'embedding')).toBe('MPNetModel');
  expect(named('gpt2', 'causal-lm')).toBe('GPT2LMHeadModel');
  expect(named('gpt2', 'classification')).toBe('GPT2ForSequenceClassification');
  expect(named('qwen3', 'causal-lm')).toBe('Qwen3ForCausalLM');
});

test('XLM-R and CamemBERT are read as RoBERTa', () => {
  for (const [type, name] of [
    ['xlm-roberta', 'XLMRobertaForMaskedLM'],
    ['camembert', 'CamembertForMaskedLM'],
  ] as const) {
    const model = createModel({ ...configs.get('roberta'), model_type: type }, 'config.json');
    expect(model.architecture(heads['masked-lm'])).toBe(name);
    expect([...model.parameters(heads['masked-lm']).keys()]).toEqual([
      ...(models.get('roberta')?.parameters(heads['masked-lm']).keys() ?? []),
    ]);
  }
});

describe('a config that does not fit is refused, saying what would', () => {
  const llama = configs.get('llama') ?? {};
  const refused = (changes: { readonly [field: string]: unknown }, message: string | RegExp) =>
    expect(() => createModel({ ...llama, ...changes }, 'config.json')).toThrow(message);

  test('an architecture', () => {
    refused({ model_type: 't5' }, 'config.json: the architecture "t5" is not supported.');
    refused({ model_type: undefined }, 'the architecture undefined is not supported');
    refused({ model_type: 'constructor' }, 'the architecture "constructor" is not supported');
  });
  test('a way to stretch rotary positions', () => {
    const message = 'rope_scaling has the type "longrope"; supported: default, linear, dynamic, llama3, yarn';
    refused({ rope_scaling: { type: 'longrope', factor: 2 } }, message);
    refused({ rope_scaling: { rope_type: 'linear' } }, /rope_scaling\.factor/);
    refused({ rope_scaling: { rope_type: 'llama3', factor: 8 } }, /rope_scaling\.low_freq_factor/);
  });
  test('heads that do not share evenly', () => {
    refused({ num_key_value_heads: 3 }, 'num_attention_heads must be a multiple of num_key_value_heads');
    refused({ hidden_size: 12 }, 'must be an even number');
    expect(() => createModel({ ...configs.get('bert'), num_attention_heads: 3 }, 'config.json')).toThrow(
      'hidden_size must be a multiple of num_attention_heads',
    );
  });
  test('rotary parameters in their newer form mean the same', () => {
    const old = createModel({ ...llama, rope_theta: 500 }, 'config.json');
    const { rope_theta: _, ...rest } = llama;
    const parameters = { rope_theta: 500, rope_type: 'default' };
    const renewed = createModel({ ...rest, rope_parameters: parameters }, 'config.json');
    expect(renewed.modality).toBe(old.modality);
    return Promise.all(
      [old, renewed].map((model) => {
        if (model.modality !== 'text') throw new Error('no model of texts');
        const head = heads['causal-lm'];
        return answer({ model, head, lora: undefined, trainable: seededWeights(model, head), frozen: new Map() });
      }),
    ).then(([first, second]) => expect(second).toEqual(first));
  });
});
