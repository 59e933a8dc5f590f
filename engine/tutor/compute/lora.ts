// LoRA's trained parameters: r·(d_in + d_out) for every adapted matrix of every layer (Hu et al. 2021).
import { type Calculator, computed, missing } from './calculation.ts';
import { findModel, type ModelShape } from './model-shapes.ts';
import { readField, readSizes } from './read-numbers.ts';
import { show, showBytes, showPercent } from './show.ts';

export interface Matrix {
  readonly inputs: number;
  readonly outputs: number;
}

export function countLoraParameters(rank: number, matrices: readonly Matrix[], layers: number): number {
  return layers * matrices.reduce((sum, { inputs, outputs }) => sum + rank * (inputs + outputs), 0);
}

const section = 'peft#lora-parameter-count';
const fields = {
  rank: { names: 'lora_r|lora rank|rank|r' },
  layers: {
    names: '(?:transformer |decoder |encoder )?(?:layers?|blocks?)|n_layers|num_layers',
    side: 'before',
  },
  alpha: { names: 'lora_alpha|alpha' },
  inputs: { names: 'd_?in|in_features|input dim(?:ension)?|k' },
  outputs: { names: 'd_?out|out_features|output dim(?:ension)?' },
  width: { names: 'd_model|hidden(?:[ _]?(?:size|dim|width))?|width|dimension|dim|d' },
  matrices: {
    names: '(?:target |adapted |weight )?(?:matrices|modules|projections|matrixes)(?: per layer| each)?',
    side: 'before',
  },
} as const;

export const lora: Calculator = ({ text, asksForNumber }) => {
  if (!/\blora\b|\blow[\s-]rank|\br\s*=\s*\d/.test(text)) return undefined;
  if (/\b(?:memory|vram|gb)\b/.test(text) && !/param/.test(text)) return undefined;
  const rank = readField(text, fields.rank);
  const model = findModel(text);
  const sizes = readSizes(text).at(-1);
  const width = readField(text, fields.width);
  const inputs = readField(text, fields.inputs) ?? sizes?.[0] ?? width;
  const outputs = readField(text, fields.outputs) ?? sizes?.[1] ?? width;
  const speaksOfCount = /param|how (?:many|big|large)|trainable|weights|numbers|size/.test(text) || asksForNumber;
  if (!speaksOfCount) return undefined;
  if (rank === undefined && !(sizes || width) && !(model && asksForNumber && /param/.test(text))) return undefined;
  if (rank === undefined) return lacking(['the rank r']);
  if (model && !sizes && width === undefined) return computed(forModel(model, rank, text));
  if (inputs === undefined || outputs === undefined) {
    return asksForNumber || /param/.test(text)
      ? lacking(['the size of the matrix (d_in × d_out), or a model such as Llama-2-7B'])
      : undefined;
  }
  const layers = readField(text, fields.layers) ?? 1;
  const perLayer = readField(text, fields.matrices) ?? (countTargets(text) || 1);
  const matrix = { inputs, outputs };
  const total = countLoraParameters(
    rank,
    Array.from({ length: perLayer }, () => matrix),
    layers,
  );
  const full = layers * perLayer * inputs * outputs;
  return computed({
    result: `**${show(total)} trainable parameters**${total === full ? '' : `, ${showPercent(total / full)} of the ${show(full)} in the full matrices`}.`,
    working: [
      `one pair   = r · (d_in + d_out) = ${rank} · (${inputs} + ${outputs}) = ${show(rank * (inputs + outputs))}`,
      ...(layers * perLayer === 1
        ? []
        : [
            `all pairs  = ${layers} layers × ${perLayer} matrices × ${show(rank * (inputs + outputs))} = ${show(total)}`,
          ]),
      `full       = ${layers * perLayer === 1 ? '' : `${layers} × ${perLayer} × `}${inputs} · ${outputs} = ${show(full)}`,
    ],
    ...(layers * perLayer === 1
      ? { note: 'This is one matrix; multiply by the adapted matrices per layer and by the layers.' }
      : {}),
    section,
  });
};

function lacking(what: readonly string[]) {
  return missing({
    what: 'the LoRA parameters',
    missing: what,
    example: 'LoRA parameters for r=8 on 768x768, q and v, 12 layers',
    section,
  });
}

const targets: { readonly [name: string]: RegExp } = {
  q: /\bq\b|\bq_?proj\b|\bquer(?:y|ies)\b|\bwq\b|\bqkvo?\b|\bqv\b/,
  k: /\bk_?proj\b|\bkeys?\b|\bwk\b|\bqkvo?\b|(?<=[,&/ ])k(?=[,&/ ])/,
  v: /\bv\b|\bv_?proj\b|\bvalues?\b|\bwv\b|\bqkvo?\b|\bqv\b/,
  o: /\bo\b|\bo_?proj\b|\boutput proj|\bwo\b|\bqkvo\b/,
};

function countTargets(text: string): number {
  return Object.values(targets).filter((pattern) => pattern.test(text)).length;
}

function forModel({ name, layers, hidden, keyValue, feedForward, parameters }: ModelShape, rank: number, text: string) {
  const square = { inputs: hidden, outputs: hidden };
  const narrow = { inputs: hidden, outputs: keyValue };
  const attention: { readonly [name: string]: Matrix } = { q: square, k: narrow, v: narrow, o: square };
  const isGated = /llama|mistral|qwen/i.test(name);
  const all = /\ball(?:[\s-]linear|\s+(?:linear\s+)?(?:layers|modules|matrices))|every linear/.test(text);
  const named = Object.keys(targets).filter((target) => targets[target]?.test(text));
  const chosen = all ? ['q', 'k', 'v', 'o'] : named.length > 0 ? named : ['q', 'v'];
  const matrices = chosen.flatMap((target) => attention[target] ?? []);
  const mlp = Array.from({ length: all ? (isGated ? 3 : 2) : 0 }, () => ({ inputs: hidden, outputs: feedForward }));
  const total = countLoraParameters(rank, [...matrices, ...mlp], layers);
  const sums = [...matrices, ...mlp].map(({ inputs, outputs }) => `(${show(inputs)} + ${show(outputs)})`);
  return {
    result: `**${show(total)} trainable parameters** on ${name} with r = ${rank} on ${all ? 'all linear layers' : chosen.join(' and ')}: ${showPercent(total / parameters)} of its ${show(parameters)}.`,
    working: [
      `${layers} layers × ${rank} × [${sums.join(' + ')}]`,
      `= ${show(total)}`,
      `adapter file in 16 bit: ${show(total)} × 2 bytes = ${showBytes(total * 2)}`,
    ],
    ...(named.length === 0 && !all ? { note: 'You named no modules, so q and v are taken, the usual default.' } : {}),
    section,
  } as const;
}
