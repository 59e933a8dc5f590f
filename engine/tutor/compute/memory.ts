// Memory of weights, of training (full, LoRA, QLoRA) and of a KV cache; operations of a training run.
import { type Calculator, computed, missing } from './calculation.ts';
import { findModel } from './model-shapes.ts';
import { readField } from './read-numbers.ts';
import { show, showBytes } from './show.ts';

/** Bytes a number takes. */
const dtypes: readonly { readonly name: string; readonly pattern: RegExp; readonly bytes: number }[] = [
  {
    name: 'fp32',
    pattern: /\b(?:fp|float)[\s-]?32\b|\b32[\s-]?bits?\b|\bfull precision\b|\bsingle precision\b/,
    bytes: 4,
  },
  { name: '4-bit', pattern: /\b4[\s-]?bits?\b|\bint[\s-]?4\b|\bnf4\b|\bfp4\b|\bq4\w*/, bytes: 0.5 },
  { name: 'int8', pattern: /\b8[\s-]?bits?\b|\bint[\s-]?8\b|\bfp8\b|\bq8\w*/, bytes: 1 },
  { name: 'fp16', pattern: /\b(?:fp|float)[\s-]?16\b|\bhalf precision\b/, bytes: 2 },
  { name: 'bf16', pattern: /\bbf(?:loat)?[\s-]?16\b|\b16[\s-]?bits?\b|\bmixed precision\b/, bytes: 2 },
];

/** Weights and gradients in 16 bits (2 + 2), a 32-bit master copy and two AdamW states (4 + 4 + 4). */
const mixedPrecisionBytes = 16;
/** NF4 with blocks of 64 and double quantisation (Dettmers et al. 2023). */
const nf4Bits = 4.127;

const parameterNames = {
  names: '(?:model )?param(?:eter)?s?|weights|model size|model',
  side: 'before',
} as const;

function readParameters(text: string): number | undefined {
  const bare = /(?<![\w.-])(\d+(?:\.\d+)?)\s?(b|bn|billion|m|million)\b(?!its?)/.exec(text);
  const scaled = bare && Number(bare[1]) * (bare[2]?.startsWith('b') ? 1e9 : 1e6);
  return findModel(text)?.parameters ?? scaled ?? readField(text, parameterNames);
}

export const memory: Calculator = ({ text, asksForNumber }) => {
  if (!/\b(?:memory|vram|ram|gb|gigabytes?|how (?:big|large)|size|fit|disk)\b/.test(text)) return undefined;
  if (/kv[\s-]?cache|key[\s-]value cache|context window|download size of|dataset size|sample size|test size/.test(text))
    return undefined;
  const parameters = readParameters(text);
  if (parameters === undefined || parameters < 1e5) return undefined;
  if (!asksForNumber && !/\b(?:memory|vram|gb|size)\b/.test(text)) return undefined;
  const dtype = dtypes.find(({ pattern }) => pattern.test(text));
  const size = show(parameters);
  const trained = readField(text, { names: 'trained|trainable(?: parameters)?', side: 'before' });
  if (/\bq-?lora\b/.test(text)) {
    const base = (parameters * nf4Bits) / 8;
    const adapter = (trained ?? 0.002 * parameters) * mixedPrecisionBytes;
    return computed({
      result: `**About ${showBytes(base + adapter)}** before activations: ${showBytes(base)} for the 4-bit base, ${showBytes(adapter)} for the adapter's training.`,
      working: [
        `base    = ${size} × ${nf4Bits} bits / 8 = ${showBytes(base)}`,
        `adapter = ${trained === undefined ? `0.2 % of them, ${show(0.002 * parameters)}` : show(trained)} × 16 bytes (weights, gradients, AdamW) = ${showBytes(adapter)}`,
      ],
      note: `Activations, dequantisation buffers and layers left in 16 bit come on top${trained === undefined ? '; 0.2 % trained is assumed' : ''}.`,
      section: 'peft#peft-memory',
    });
  }
  if (/\blora\b|\bpeft\b/.test(text)) {
    const bytes = dtype?.bytes ?? 2;
    const base = parameters * bytes;
    const adapter = (trained ?? 0.002 * parameters) * mixedPrecisionBytes;
    return computed({
      result: `**About ${showBytes(base + adapter)}** before activations: ${showBytes(base)} for the frozen base, ${showBytes(adapter)} for the adapter's training.`,
      working: [
        `base    = ${size} × ${bytes} bytes (${dtype?.name ?? 'bf16'}) = ${showBytes(base)}`,
        `adapter = ${trained === undefined ? `0.2 % of them, ${show(0.002 * parameters)}` : show(trained)} × 16 bytes (weights, gradients, AdamW) = ${showBytes(adapter)}`,
      ],
      note: `Activations come on top${trained === undefined ? '; 0.2 % trained is assumed' : ''}.`,
      section: 'peft#peft-memory',
    });
  }
  if (/full fine|fine-?\s?tun|\btrain|adam/.test(text)) {
    const wholeFp32 = dtype?.name === 'fp32';
    const bytes = wholeFp32 ? 16 : mixedPrecisionBytes;
    return computed({
      result: `**About ${showBytes(parameters * bytes)}** before activations, for full fine-tuning with AdamW.`,
      working: wholeFp32
        ? [
            `weights 4 + gradients 4 + AdamW 4 + 4 = 16 bytes a parameter`,
            `${size} × 16 = ${showBytes(parameters * 16)}`,
          ]
        : [
            'weights 2 + gradients 2 + 32-bit master copy 4 + AdamW 4 + 4 = 16 bytes a parameter',
            `${size} × 16 = ${showBytes(parameters * 16)}`,
          ],
      note: 'Activations come on top and grow with batch and length.',
      section: 'fine-tuning#memory',
    });
  }
  const chosen = dtype ?? { name: 'bf16', bytes: 2 };
  return computed({
    result: `**${showBytes(parameters * chosen.bytes)}** for the weights in ${chosen.name}.`,
    working: [`parameters × bytes = ${size} × ${chosen.bytes} = ${showBytes(parameters * chosen.bytes)}`],
    note: `${dtype ? '' : '16 bits a weight are assumed. '}Running it also needs the KV cache and activations.`,
    section: 'fine-tuning#memory',
  });
};

/** Bytes of keys and values: 2 × layers × width × tokens × batch × bytes. */
function kvCacheBytes(layers: number, keyValueWidth: number, tokens: number, batch: number, bytes: number): number {
  return 2 * layers * keyValueWidth * tokens * batch * bytes;
}

export const kvCache: Calculator = ({ text, asksForNumber }) => {
  if (!/kv[\s-]?cache|key[\s-]value cache/.test(text)) return undefined;
  const model = findModel(text);
  const layers = readField(text, { names: 'layers?|blocks?', side: 'before' }) ?? model?.layers;
  const kvHeads = readField(text, { names: String.raw`(?:kv|key[\s-]value|n_kv)[\s_-]?heads?`, side: 'before' });
  const heads = kvHeads ?? readField(text, { names: 'heads?', side: 'before' });
  const headSize = readField(text, { names: String.raw`head[\s_-]?(?:dim(?:ension)?|size)` });
  const hidden = readField(text, { names: 'hidden(?:[ _]?(?:size|dim))?|d_model|width' });
  const width = heads !== undefined && headSize !== undefined ? heads * headSize : (hidden ?? model?.keyValue);
  const tokens = readField(text, {
    names: String.raw`tokens?|context(?: length)?|seq(?:uence)?(?:[\s_](?:len(?:gth)?))?`,
    side: 'before',
  });
  const given = [layers, width, tokens].filter((value) => value !== undefined).length;
  if (given === 0 || (given < 3 && !asksForNumber)) return undefined;
  if (layers === undefined || width === undefined || tokens === undefined) {
    return missing({
      what: 'the KV cache',
      missing: [
        ...(layers === undefined ? ['the number of layers'] : []),
        ...(width === undefined ? ['the hidden size (or KV heads and head size)'] : []),
        ...(tokens === undefined ? ['the number of tokens'] : []),
      ],
      example: 'KV cache for 32 layers, hidden size 4096, 2048 tokens, fp16',
      section: 'tools#serving',
    });
  }
  const batch = readField(text, { names: String.raw`batch(?:[\s_-]?size)?|sequences|users` }) ?? 1;
  const dtype = dtypes.find(({ pattern }) => pattern.test(text)) ?? { name: '16 bit', bytes: 2 };
  const bytes = kvCacheBytes(layers, width, tokens, batch, dtype.bytes);
  return computed({
    result: `**The KV cache takes ${showBytes(bytes)}**.`,
    working: [
      `2 (keys and values) × layers × width × tokens × batch × bytes`,
      `= 2 × ${layers} × ${show(width)} × ${show(tokens)} × ${batch} × ${dtype.bytes} = ${show(bytes)} bytes = ${showBytes(bytes)}`,
    ],
    ...(model && kvHeads === undefined && hidden === undefined
      ? { note: `Shape of ${model.name}: ${model.layers} layers, keys and values ${show(model.keyValue)} wide.` }
      : {}),
    section: 'tools#serving',
  });
};

export const trainingOperations: Calculator = ({ text }) => {
  if (!/\bflops?\b|\b6\s?nd\b|\bcompute budget\b|\bfloating point operations\b/.test(text)) return undefined;
  const parameters = readParameters(text.replace(/[\d.]+\s?[kmbt]?\w*\s*tokens?/g, ' '));
  const tokens = readField(text, { names: 'tokens?', side: 'before' });
  if (parameters === undefined && tokens === undefined) return undefined;
  if (parameters === undefined || tokens === undefined) {
    return missing({
      what: 'the training operations',
      missing: [parameters === undefined ? 'the number of parameters N' : 'the number of tokens D'],
      example: 'FLOPs to train 7B parameters on 1B tokens',
      section: 'fine-tuning#cost',
    });
  }
  const isAdapter = /\bq?lora\b|\bpeft\b/.test(text);
  const factor = isAdapter ? 4 : 6;
  const operations = factor * parameters * tokens;
  return computed({
    result: `**About ${operations.toExponential(2).replace('e+', '·10^')} operations**.`,
    working: [
      `${factor} · N · D = ${factor} × ${parameters.toExponential(3)} × ${tokens.toExponential(3)} = ${operations.toExponential(2)}`,
    ],
    note: isAdapter
      ? 'About 4 a parameter and token with a frozen base: no gradient of its weights.'
      : '6 a parameter and token: 2 forward, 4 backward; attention over long contexts comes on top.',
    section: 'fine-tuning#cost',
  });
};

export const tokensAndWords: Calculator = ({ text }) => {
  const words = /(\d+(?:\.\d+)?k?)\s*(?:english\s+)?words?\b/.exec(text)?.[1];
  const tokens = /(\d+(?:\.\d+)?k?)\s*tokens?\b/.exec(text)?.[1];
  const asks = /how many (tokens|words)|(tokens|words) (?:is|are|in)|in (tokens|words)/
    .exec(text)
    ?.slice(1)
    .find((group) => group);
  const read = (written: string) => (written.endsWith('k') ? Number(written.slice(0, -1)) * 1000 : Number(written));
  if (words !== undefined && asks === 'tokens') {
    const count = read(words);
    return computed({
      result: `**About ${show(count / 0.75)} tokens** for ${show(count)} English words.`,
      working: [`words / 0.75 = ${show(count)} / 0.75 = ${show(count / 0.75)}`],
      note: 'A rule of thumb for English prose; code and other languages need more. Count with the tokenizer itself.',
      section: 'glossary#transformers',
    });
  }
  if (tokens !== undefined && asks === 'words') {
    const count = read(tokens);
    return computed({
      result: `**About ${show(count * 0.75)} English words** for ${show(count)} tokens.`,
      working: [`tokens × 0.75 = ${show(count)} × 0.75 = ${show(count * 0.75)}`],
      note: 'A rule of thumb for English prose; code and other languages need more tokens. Count with the tokenizer itself.',
      section: 'glossary#transformers',
    });
  }
  return undefined;
};
