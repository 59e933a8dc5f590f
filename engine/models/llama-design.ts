// The config.json of Llama and its kin, what sets one member of the family apart from another, and the sizes that follow.
import { z } from 'zod';
import { activationSchema } from './activations.ts';
import { rateSchema, sizeSchema } from './encoder-config.ts';
import { parseConfig } from './parse-config.ts';
import { ropeScalingSchema } from './rope.ts';

const model_types = ['llama', 'mistral', 'qwen2', 'qwen3'] as const;

const llamaConfigSchema = z
  .object({
    model_type: z.literal(model_types),
    vocab_size: sizeSchema,
    hidden_size: sizeSchema,
    intermediate_size: sizeSchema,
    num_hidden_layers: sizeSchema,
    num_attention_heads: sizeSchema,
    num_key_value_heads: sizeSchema.nullish(),
    head_dim: sizeSchema.nullish(),
    hidden_act: activationSchema.default('silu'),
    max_position_embeddings: z.number().int().min(1).max(100_000_000).default(2048),
    rms_norm_eps: z.number().positive().default(1e-6),
    rope_theta: z.number().positive().nullish(),
    rope_scaling: ropeScalingSchema,
    rope_parameters: ropeScalingSchema,
    partial_rotary_factor: z.literal(1).nullish(),
    rope_interleaved: z.literal(false).nullish(),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    attention_dropout: rateSchema.default(0),
    classifier_dropout: rateSchema.nullish(),
    hidden_dropout: rateSchema.nullish(),
    sliding_window: z.number().int().min(1).nullish(),
    use_sliding_window: z.boolean().nullish(),
    max_window_layers: z.number().int().min(0).nullish(),
    layer_types: z.array(z.literal(['full_attention', 'sliding_attention'])).nullish(),
    initializer_range: z.number().positive().default(0.02),
    tie_word_embeddings: z.boolean().default(false),
  })
  .refine((config) => config.num_attention_heads % (config.num_key_value_heads ?? config.num_attention_heads) === 0, {
    message: 'num_attention_heads must be a multiple of num_key_value_heads',
  })
  .refine((config) => Number.isInteger(depthOf(config) / 2), {
    message: 'head_dim, or hidden_size divided by num_attention_heads, must be an even number',
  });

/** The keys of `config.json` that shape the network; names as there. */
type LlamaConfig = z.output<typeof llamaConfigSchema>;

interface Member {
  readonly className: string;
  /** Biases of the query, key and value, and of what follows attention. */
  biases(config: LlamaConfig): { readonly query: boolean; readonly output: boolean };
  /** Queries and keys are normalised, each head for itself. */
  readonly normsHeads: boolean;
  /** Which layers see only the nearest places. */
  slides(config: LlamaConfig, layer: number): boolean;
}

const whereAsked = ({ attention_bias }: LlamaConfig) => ({ query: attention_bias, output: attention_bias });
/** Qwen has a window only where `use_sliding_window` says so, and by default in the later layers. */
const qwenSlides = (config: LlamaConfig, layer: number) =>
  config.use_sliding_window === true &&
  (config.layer_types ? config.layer_types[layer] === 'sliding_attention' : layer >= (config.max_window_layers ?? 28));

const members: { readonly [Type in (typeof model_types)[number]]: Member } = {
  llama: { className: 'Llama', biases: whereAsked, normsHeads: false, slides: () => false },
  mistral: {
    className: 'Mistral',
    biases: () => ({ query: false, output: false }),
    normsHeads: false,
    slides: () => true,
  },
  qwen2: {
    className: 'Qwen2',
    biases: () => ({ query: true, output: false }),
    normsHeads: false,
    slides: qwenSlides,
  },
  qwen3: { className: 'Qwen3', biases: whereAsked, normsHeads: true, slides: qwenSlides },
};

/** Numbers in a head. Only Qwen3's has a size of its own where config.json names none. */
function depthOf(config: {
  readonly model_type: string;
  readonly head_dim?: number | null | undefined;
  readonly hidden_size: number;
  readonly num_attention_heads: number;
}): number {
  return config.head_dim ?? (config.model_type === 'qwen3' ? 128 : config.hidden_size / config.num_attention_heads);
}

/** A member with its sizes, as the network is built of them. */
export interface LlamaDesign {
  readonly config: LlamaConfig;
  readonly member: Member;
  readonly depth: number;
  readonly keyHeads: number;
  readonly scaling: NonNullable<LlamaConfig['rope_scaling']>['scaling'];
  readonly theta: number;
  /** Places that sliding layers see; undefined where no layer slides. */
  readonly window: number | undefined;
}

/** @throws UserError naming the file and the field that does not fit. */
export function designLlama(raw: { readonly [key: string]: unknown }, source: string): LlamaDesign {
  const config = parseConfig(llamaConfigSchema, raw, source);
  const member = members[config.model_type];
  const { rope_parameters: newer, rope_scaling: older } = config;
  const rope = newer.theta !== undefined || newer.scaling.kind !== 'default' ? newer : older;
  const slides = Array.from({ length: config.num_hidden_layers }, (_, layer) => member.slides(config, layer));
  return {
    config,
    member,
    depth: depthOf(config),
    keyHeads: config.num_key_value_heads ?? config.num_attention_heads,
    scaling: rope.scaling,
    theta: config.rope_theta ?? rope.theta ?? 10_000,
    window: slides.includes(true) ? (config.sliding_window ?? undefined) : undefined,
  };
}
