// The one table of supported architectures, by `model_type` of config.json.
import { UserError } from '../errors.ts';
import { createBert } from './bert.ts';
import { createClip } from './clip.ts';
import { createDistilbert } from './distilbert.ts';
import { createGpt2 } from './gpt2.ts';
import { createLlama } from './llama.ts';
import { createMobilenetV2 } from './mobilenet-v2.ts';
import type { Model } from './model.ts';
import { createMpnet } from './mpnet.ts';
import { createResnet } from './resnet.ts';
import { createRoberta } from './roberta.ts';
import { createVit } from './vit.ts';

type RawConfig = { readonly [key: string]: unknown };

/** Each checks its config and throws a UserError that names the file and the field. */
const families: { readonly [modelType: string]: (config: RawConfig, source: string) => Model } = {
  bert: createBert,
  roberta: createRoberta,
  'xlm-roberta': createRoberta,
  camembert: createRoberta,
  distilbert: createDistilbert,
  mpnet: createMpnet,
  gpt2: createGpt2,
  llama: createLlama,
  mistral: createLlama,
  qwen2: createLlama,
  qwen3: createLlama,
  resnet: createResnet,
  mobilenet_v2: createMobilenetV2,
  vit: createVit,
  clip: createClip,
};

/** @throws UserError naming the architecture and what is supported. */
export function createModel(config: RawConfig, source: string): Model {
  const type = config.model_type;
  const create = typeof type === 'string' && Object.hasOwn(families, type) ? families[type] : undefined;
  if (create) return create(config, source);
  throw new UserError(
    `${source}: the architecture ${JSON.stringify(type)} is not supported.`,
    `Supported model types: ${Object.keys(families).join(', ')}.`,
  );
}
