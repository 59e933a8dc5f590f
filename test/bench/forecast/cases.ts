// What the forecast is held against: the shapes of real models, trained in different ways.
import type { Workload } from '../train/workloads.ts';
import { workloads } from '../train/workloads.ts';

export type ForecastCase = Pick<Workload, 'config' | 'head' | 'loraRank' | 'rows' | 'length' | 'dtype'> & {
  readonly name: string;
  readonly method: 'full' | 'lora' | 'qlora';
  readonly recompute: boolean;
  /** Of batches that are trained on beside those of `length`: a session for each. */
  readonly shorter: readonly number[];
};

const labels = { kind: 'classification', labels: 2 } as const;

const minilm = {
  model_type: 'bert',
  vocab_size: 30522,
  hidden_size: 384,
  num_hidden_layers: 6,
  num_attention_heads: 12,
  intermediate_size: 1536,
  max_position_embeddings: 512,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
};
const llama100M = {
  model_type: 'llama',
  vocab_size: 32000,
  hidden_size: 768,
  intermediate_size: 2048,
  num_hidden_layers: 10,
  num_attention_heads: 12,
  num_key_value_heads: 4,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};
const vitTiny = {
  model_type: 'vit',
  hidden_size: 192,
  num_hidden_layers: 12,
  num_attention_heads: 3,
  intermediate_size: 768,
  image_size: 224,
  patch_size: 16,
  num_channels: 3,
};

interface Shape {
  readonly title: string;
  readonly config: ForecastCase['config'];
  readonly head: ForecastCase['head'];
  readonly method: ForecastCase['method'];
}

const of = (id: string) => workloads[id]?.config ?? {};
const distilbert = { title: 'DistilBERT', config: of('distilbert-full'), head: labels } as const;
const gpt2 = { title: 'GPT-2', config: of('gpt2-full'), head: { kind: 'causal-lm' } } as const;
const llama = { title: 'Llama 100M', config: llama100M, head: { kind: 'causal-lm' } } as const;
const resnet = { title: 'ResNet-50', config: of('resnet50-full'), head: labels } as const;
const vit = { title: 'ViT-tiny', config: vitTiny, head: labels } as const;
const small = { title: 'MiniLM', config: minilm, head: labels } as const;

function define(
  { title, config, head, method }: Shape,
  rows: number,
  length: number,
  {
    recompute = false,
    dtype = 'F32',
    shorter = [],
  }: Partial<Pick<ForecastCase, 'recompute' | 'dtype' | 'shorter'>> = {},
): ForecastCase {
  const lengths = [...shorter, length].join('/');
  const name = `${title}, ${method}, ${rows} × ${lengths}${recompute ? ', recompute' : ''}${dtype === 'F32' ? '' : ', bf16'}`;
  return { name, config, head, method, loraRank: 8, rows, length, dtype, recompute, shorter };
}

export const cases: { readonly [id: string]: ForecastCase } = {
  'distilbert-full': define({ ...distilbert, method: 'full' }, 8, 128),
  'distilbert-full-short': define({ ...distilbert, method: 'full' }, 16, 32),
  'distilbert-full-recompute': define({ ...distilbert, method: 'full' }, 16, 128, { recompute: true }),
  'distilbert-lora': define({ ...distilbert, method: 'lora' }, 8, 128),
  'distilbert-lora-long': define({ ...distilbert, method: 'lora' }, 4, 512),
  'distilbert-full-lengths': define({ ...distilbert, method: 'full' }, 8, 128, { shorter: [16, 32, 64, 96] }),
  'distilbert-lora-lengths': define({ ...distilbert, method: 'lora' }, 8, 128, { shorter: [16, 32, 64, 96] }),
  'gpt2-full': define({ ...gpt2, method: 'full' }, 2, 256),
  'gpt2-lora': define({ ...gpt2, method: 'lora' }, 2, 128),
  'llama-lora': define({ ...llama, method: 'lora' }, 2, 256),
  'llama-lora-bf16': define({ ...llama, method: 'lora' }, 2, 256, { dtype: 'BF16' }),
  'llama-lora-bf16-lengths': define({ ...llama, method: 'lora' }, 2, 256, { dtype: 'BF16', shorter: [32, 64, 128] }),
  'llama-lora-recompute': define({ ...llama, method: 'lora' }, 4, 256, { recompute: true }),
  'llama-qlora': define({ ...llama, method: 'qlora' }, 2, 256),
  'resnet50-full': define({ ...resnet, method: 'full' }, 8, 224),
  'resnet50-full-small': define({ ...resnet, method: 'full' }, 16, 112),
  'vit-full': define({ ...vit, method: 'full' }, 16, 224),
  'vit-lora': define({ ...vit, method: 'lora' }, 8, 224),
  'minilm-full': define({ ...small, method: 'full' }, 16, 128),
  'minilm-full-recompute': define({ ...small, method: 'full' }, 32, 128, { recompute: true }),
  'minilm-lora': define({ ...small, method: 'lora' }, 32, 64),
};
