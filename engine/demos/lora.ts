// LoRA by numbers: what a rank costs in parameters, in a file and in memory, beside full fine-tuning and QLoRA.
import { axisAround, hues } from '../charts/figure.ts';
import { choice, defineDemo, whole } from './demo.ts';
import { short } from './numbers.ts';

interface Matrix {
  readonly inputs: number;
  readonly outputs: number;
  readonly group: 'qv' | 'attention' | 'mlp';
}

interface Base {
  readonly name: string;
  readonly parameters: number;
  readonly layers: number;
  /** The linear matrices of one layer. */
  readonly matrices: readonly Matrix[];
}

/** A decoder with gated feed-forward, as Llama's: `keyValue` is the width of k and v under grouped-query attention. */
function decoder(
  name: string,
  shape: { parameters: number; layers: number; width: number; query?: number; keyValue: number; feedForward: number },
): Base {
  const { parameters, layers, width, query = width, keyValue, feedForward } = shape;
  return {
    name,
    parameters,
    layers,
    matrices: [
      { inputs: width, outputs: query, group: 'qv' },
      { inputs: width, outputs: keyValue, group: 'qv' },
      { inputs: width, outputs: keyValue, group: 'attention' },
      { inputs: query, outputs: width, group: 'attention' },
      { inputs: width, outputs: feedForward, group: 'mlp' },
      { inputs: width, outputs: feedForward, group: 'mlp' },
      { inputs: feedForward, outputs: width, group: 'mlp' },
    ],
  };
}

function encoder(name: string, shape: { parameters: number; layers: number; width: number }): Base {
  const { parameters, layers, width } = shape;
  const square = (group: Matrix['group']): Matrix => ({ inputs: width, outputs: width, group });
  return {
    name,
    parameters,
    layers,
    matrices: [
      square('qv'),
      square('qv'),
      square('attention'),
      square('attention'),
      { inputs: width, outputs: 4 * width, group: 'mlp' },
      { inputs: 4 * width, outputs: width, group: 'mlp' },
    ],
  };
}

/** Shapes from each model's published config.json. */
export const bases = {
  distilbert: encoder('DistilBERT', { parameters: 66_362_880, layers: 6, width: 768 }),
  bert: encoder('BERT base', { parameters: 109_482_240, layers: 12, width: 768 }),
  qwen: decoder('Qwen3 0.6B', {
    parameters: 596_049_920,
    layers: 28,
    width: 1024,
    query: 2048,
    keyValue: 1024,
    feedForward: 3072,
  }),
  llama1b: decoder('Llama 3.2 1B', {
    parameters: 1_235_814_400,
    layers: 16,
    width: 2048,
    keyValue: 512,
    feedForward: 8192,
  }),
  llama7b: decoder('Llama 2 7B', {
    parameters: 6_738_415_616,
    layers: 32,
    width: 4096,
    keyValue: 4096,
    feedForward: 11_008,
  }),
  llama8b: decoder('Llama 3.1 8B', {
    parameters: 8_030_261_248,
    layers: 32,
    width: 4096,
    keyValue: 1024,
    feedForward: 14_336,
  }),
} as const satisfies { readonly [id: string]: Base };

const targets = { qv: 'query and value', attention: 'all of attention', all: 'all linear' } as const;
type Targets = keyof typeof targets;

const chosen = (group: Matrix['group'], target: Targets) =>
  target === 'all' || group === 'qv' || (target === 'attention' && group === 'attention');

/** Trained parameters: r · (inputs + outputs) for each adapted matrix (Hu et al. 2021). */
export function countLora({ layers, matrices }: Base, rank: number, target: Targets): number {
  const adapted = matrices.filter(({ group }) => chosen(group, target));
  return layers * adapted.reduce((sum, { inputs, outputs }) => sum + rank * (inputs + outputs), 0);
}

/** Weight, gradient and AdamW's two moments of a trained parameter in 32 bits. */
const trainedBytes = 16;
/** NF4 with double quantisation: 4.127 bits a weight (Dettmers et al. 2023); embeddings stay in 16 bits. */
const nf4Bytes = 4.127 / 8;
const gigabyte = 1e9;

const bodyOf = ({ layers, matrices }: Base) =>
  layers * matrices.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);

/** Bytes of weights, and of what training adds, without activations. */
export function memoryOf(base: Base, trained: number) {
  const body = bodyOf(base);
  return {
    full: { frozen: 0, trained: base.parameters * trainedBytes },
    lora: { frozen: base.parameters * 2, trained: trained * trainedBytes },
    qlora: { frozen: body * nf4Bytes + (base.parameters - body) * 2, trained: trained * trainedBytes },
  } as const;
}

export const lora = defineDemo({
  id: 'lora',
  title: 'LoRA: parameters and memory',
  summary: 'rank, target modules and base model: what is trained, and what fits',
  home: 'peft#lora-parameter-count',
  alsoFor: ['project-lora-chatbot', 'fine-tuning'],
  seeded: false,
  controls: {
    base: choice('Base model', 'llama7b', {
      distilbert: bases.distilbert.name,
      bert: bases.bert.name,
      qwen: bases.qwen.name,
      llama1b: bases.llama1b.name,
      llama7b: bases.llama7b.name,
      llama8b: bases.llama8b.name,
    }),
    rank: whole('Rank r', { standard: 16, min: 1, max: 1024, stops: [1, 2, 4, 8, 16, 32, 64, 128, 256] }),
    alpha: whole('Alpha', { standard: 32, min: 1, max: 1024, stops: [8, 16, 32, 64, 128, 256] }),
    targets: choice('Adapted matrices', 'qv', targets),
  },

  compute({ base: id, rank, targets: target }) {
    const base = bases[id];
    const trained = countLora(base, rank, target);
    return {
      base,
      trained,
      memory: memoryOf(base, trained),
      ranks: [1, 2, 4, 8, 16, 32, 64, 128, 256].map((each) => ({ rank: each, trained: countLora(base, each, target) })),
    };
  },

  picture({ base, trained, memory, ranks }, { rank, targets: target }) {
    const rows = [
      { name: 'full', at: 2.5, ...memory.full },
      { name: 'LoRA', at: 1.5, ...memory.lora },
      { name: 'QLoRA', at: 0.5, ...memory.qlora },
    ];
    const totals = rows.map(({ frozen, trained: more }) => (frozen + more) / gigabyte);
    const scale = axisAround('GB, without activations', [...totals, Math.max(...totals) * 1.18], { zero: true });
    const least = Math.min(...ranks.map((each) => each.trained), trained);
    const most = Math.max(...ranks.map((each) => each.trained), trained);
    return {
      title: `${base.name}, rank ${rank}, ${targets[target]}`,
      legend: [
        { label: 'frozen weights', color: hues.blue, shape: 'box' },
        { label: 'trained: weights, gradients, AdamW', color: hues.orange, shape: 'box' },
      ],
      panels: [
        {
          title: 'Memory to train',
          x: scale,
          y: { label: '', min: 0, max: 3, ticks: rows.map(({ at, name }) => ({ at, text: name })) },
          marks: [
            {
              kind: 'boxes',
              boxes: rows.map(({ at, frozen }) => ({ from: [0, at - 0.3], to: [frozen / gigabyte, at + 0.3] })),
              color: hues.blue,
            },
            {
              kind: 'boxes',
              boxes: rows.map(({ at, frozen, trained: more }) => ({
                from: [frozen / gigabyte, at - 0.3],
                to: [(frozen + more) / gigabyte, at + 0.3],
              })),
              color: hues.orange,
            },
            ...rows.map(({ at }, index) => ({
              kind: 'words' as const,
              at: [(totals[index] ?? 0) + scale.max * 0.02, at] as const,
              text: gigabytes((totals[index] ?? 0) * gigabyte),
              align: 'left' as const,
              bold: true,
            })),
          ],
        },
        {
          title: 'Trained parameters by rank',
          x: {
            label: 'rank r',
            min: 1,
            max: Math.max(256, rank),
            scale: 'log',
            ticks: [1, 4, 16, 64, 256].map((at) => ({ at, text: String(at) })),
          },
          y: {
            label: '',
            min: 10 ** Math.floor(Math.log10(least)),
            max: 10 ** Math.ceil(Math.log10(most)),
            scale: 'log',
            ticks: [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10]
              .filter((at) => at >= 10 ** Math.floor(Math.log10(least)) && at <= 10 ** Math.ceil(Math.log10(most)))
              .map((at) => ({ at, text: at.toLocaleString('en-US', { notation: 'compact' }) })),
          },
          marks: [
            { kind: 'rule', along: 'y', at: rank, color: hues.purple },
            { kind: 'line', points: ranks.map((each) => [each.rank, each.trained]), color: hues.orange },
            { kind: 'points', points: [[rank, trained]], color: hues.orange, size: 12 },
          ],
        },
      ],
      alt:
        `${base.name} with LoRA of rank ${rank} on ${targets[target]}: ${trained.toLocaleString('en-US')} trained parameters. Memory without activations: ` +
        `full ${gigabytes(memory.full.trained)}, LoRA ${gigabytes(memory.lora.frozen + memory.lora.trained)}, QLoRA ${gigabytes(memory.qlora.frozen + memory.qlora.trained)}.`,
    };
  },

  explain({ base, trained, memory }, { rank, alpha, targets: target }) {
    const share = (100 * trained) / (base.parameters + trained);
    const ratio = alpha / rank;
    const numbers = `**${trained.toLocaleString('en-US')}** trained parameters, ${short(share)} % of all; the adapter's file has ${megabytes(trained * 2)} in 16 bits`;
    const scale = `The update is scaled by alpha / r = ${short(ratio)}${ratio > 4 ? ', which is high: lower alpha or the learning rate' : ratio < 0.5 ? ', which is faint: raise alpha with the rank' : ''}.`;
    const frozen = memory.lora.frozen;
    if (share > 10) {
      return {
        markdown: `**Hardly "low rank" any more:** ${numbers}. ${scale} At this size the memory goes to gradients and moments again, ${gigabytes(memory.lora.trained)}.`,
        cites: ['peft#rank-and-alpha', 'peft#lora-parameter-count'],
      };
    }
    if (memory.lora.trained < 0.25 * frozen) {
      return {
        markdown: `**The base fills the memory, not the rank:** ${numbers}. ${scale} Frozen weights take ${gigabytes(frozen)}, training adds ${gigabytes(memory.lora.trained)}; to save more, quantise the base (${gigabytes(memory.qlora.frozen)} in 4 bits) or shorten the sequences.`,
        cites: [
          target === 'qv' ? 'peft#lora-parameter-count' : 'peft#target-modules',
          'peft#peft-memory',
          'peft#qlora',
        ],
      };
    }
    return {
      markdown: `**A large adapter:** ${numbers}. ${scale} Training adds ${gigabytes(memory.lora.trained)} to ${gigabytes(frozen)} of frozen weights.`,
      cites: ['peft#rank-and-alpha', 'peft#peft-memory'],
    };
  },
});

const gigabytes = (bytes: number) => (bytes < 1e8 ? megabytes(bytes) : `${short(bytes / gigabyte)} GB`);
const megabytes = (bytes: number) => (bytes < 1e9 ? `${short(bytes / 1e6)} MB` : `${short(bytes / 1e9)} GB`);
