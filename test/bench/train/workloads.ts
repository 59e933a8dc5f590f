// What the training bench runs: the same shapes for us and for PyTorch.
import type { Head } from '../../../engine/models/model.ts';

export interface Workload {
  readonly name: string;
  /** PyTorch's time divided by ours must be at least this. */
  readonly bar: number;
  readonly config: { readonly [key: string]: unknown };
  readonly head: Head;
  readonly method: 'full' | 'lora';
  readonly loraRank: number;
  readonly rows: number;
  /** Tokens, or pixels a side. */
  readonly length: number;
  /** How the frozen weights lie in the checkpoint. */
  readonly dtype: 'F32' | 'BF16';
}

const distilbert = {
  model_type: 'distilbert',
  vocab_size: 30522,
  dim: 768,
  n_layers: 6,
  n_heads: 12,
  hidden_dim: 3072,
  max_position_embeddings: 512,
  dropout: 0,
  attention_dropout: 0,
  seq_classif_dropout: 0,
};
const gpt2 = {
  model_type: 'gpt2',
  vocab_size: 50257,
  n_positions: 1024,
  n_embd: 768,
  n_layer: 12,
  n_head: 12,
  embd_pdrop: 0,
  attn_pdrop: 0,
  resid_pdrop: 0,
};
const qwen = {
  model_type: 'qwen2',
  vocab_size: 151936,
  hidden_size: 896,
  intermediate_size: 4864,
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  max_position_embeddings: 32768,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  tie_word_embeddings: true,
};
const resnet50 = {
  model_type: 'resnet',
  num_channels: 3,
  embedding_size: 64,
  hidden_sizes: [256, 512, 1024, 2048],
  depths: [3, 4, 6, 3],
  layer_type: 'bottleneck',
  hidden_act: 'relu',
};
const labels = { kind: 'classification', labels: 2 } as const;

/** Dropout is off on both sides: its random numbers are not what is compared. */
export const workloads: { readonly [id: string]: Workload } = {
  'distilbert-lora': {
    name: 'DistilBERT, LoRA r=8, 8 × 128',
    bar: 3.5,
    config: distilbert,
    head: labels,
    method: 'lora',
    loraRank: 8,
    rows: 8,
    length: 128,
    dtype: 'F32',
  },
  'distilbert-full': {
    name: 'DistilBERT, full, 8 × 128',
    bar: 2,
    config: distilbert,
    head: labels,
    method: 'full',
    loraRank: 8,
    rows: 8,
    length: 128,
    dtype: 'F32',
  },
  'gpt2-full': {
    name: 'GPT-2 124M, full, 2 × 256',
    bar: 1.8,
    config: gpt2,
    head: { kind: 'causal-lm' },
    method: 'full',
    loraRank: 8,
    rows: 2,
    length: 256,
    dtype: 'F32',
  },
  'resnet50-full': {
    name: 'ResNet-50, full, 16 × 224²',
    bar: 0.8,
    config: resnet50,
    head: labels,
    method: 'full',
    loraRank: 8,
    rows: 16,
    length: 224,
    dtype: 'F32',
  },
  'qwen-lora': {
    name: 'Qwen2.5-0.5B, LoRA r=16, 1 × 512',
    bar: 2.5,
    config: qwen,
    head: { kind: 'causal-lm' },
    method: 'lora',
    loraRank: 16,
    rows: 1,
    length: 512,
    dtype: 'BF16',
  },
};
