// The model a run starts from: a fresh small encoder, or a checkpoint folder in Hugging Face layout.
import { access, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createTokenizer, type Tokenizer } from '../data/tokenizer.ts';
import { learnWordPiece, type TokenizerFiles } from '../data/vocabulary.ts';
import { UserError } from '../errors.ts';
import type { FileRange } from '../graph/graph.ts';
import { describeShape, type FloatTensor, type Shape, sameShape } from '../graph/tensor.ts';
import { createModel } from './families.ts';
import { readJsonObject } from './files.ts';
import type { TextModel } from './model.ts';
import { openSafetensors, readFloats } from './safetensors.ts';

/** A weight of the checkpoint; `range` when its float32 bytes can be used where they lie. */
interface BaseWeight {
  readonly shape: Shape;
  readonly range: FileRange | undefined;
  load(): Promise<FloatTensor>;
}

export interface Base {
  /** Shown to people and written into the artifact. */
  readonly source: string;
  /** Nothing in it is trained yet: every weight is missing and will be drawn at random. */
  readonly fresh: boolean;
  /** `config.json` as it was, to be kept in the artifact. */
  readonly rawConfig: { readonly [key: string]: unknown };
  readonly model: TextModel;
  readonly tokenizerFiles: TokenizerFiles;
  readonly tokenizer: Tokenizer;
  /** By the names of `model.parameters`; the head may be missing. */
  readonly weights: ReadonlyMap<string, BaseWeight>;
}

const scratch_sizes = {
  'scratch:tiny': {
    vocabularySize: 8000,
    hidden_size: 128,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    intermediate_size: 512,
  },
} as const;
type ScratchName = keyof typeof scratch_sizes;
const isScratch = (model: string): model is ScratchName => Object.hasOwn(scratch_sizes, model);

/**
 * @param model `scratch:tiny`, a folder, or (later) a hub id.
 * @param trainingTexts what a fresh model learns its vocabulary from.
 * @throws UserError when there is no such model, or it is one that cannot be used.
 */
export async function resolveBase(model: string, trainingTexts: readonly string[]): Promise<Base> {
  if (isScratch(model)) return createFreshBase(model, trainingTexts);
  if (model.startsWith('scratch:')) {
    throw new UserError(
      `There is no fresh model ${JSON.stringify(model)}.`,
      `Use ${Object.keys(scratch_sizes).join(', ')}, or a model folder.`,
    );
  }
  const folder = await stat(model).catch(() => undefined);
  if (folder?.isDirectory()) return loadBaseFolder(resolve(model));
  if (folder) {
    throw new UserError(`${model} is a file, not a model folder.`, 'Give the folder that holds config.json.');
  }
  if (/^[\w.-]+(\/[\w.-]+)?$/.test(model)) {
    throw new UserError(
      `Loading ${model} from the Hugging Face hub comes in a later version.`,
      'Download the model (config.json, model.safetensors, tokenizer.json) and give its folder, or use scratch:tiny.',
    );
  }
  throw new UserError(`There is no model folder ${model}.`, 'Give an existing folder, or use scratch:tiny.');
}

function createFreshBase(name: ScratchName, trainingTexts: readonly string[]): Base {
  const { vocabularySize, ...sizes } = scratch_sizes[name];
  const tokenizerFiles = learnWordPiece(trainingTexts, { vocabularySize });
  const tokenizer = createTokenizer(tokenizerFiles.tokenizer, tokenizerFiles.config);
  const rawConfig = {
    architectures: ['BertForSequenceClassification'],
    model_type: 'bert',
    vocab_size: tokenizer.vocabularySize,
    ...sizes,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
    max_position_embeddings: 512,
    type_vocab_size: 2,
    layer_norm_eps: 1e-12,
    initializer_range: 0.02,
    pad_token_id: tokenizer.padId,
    torch_dtype: 'float32',
  };
  const model = createTextModel(rawConfig, name);
  return { source: name, fresh: true, rawConfig, model, tokenizerFiles, tokenizer, weights: new Map() };
}

/** @throws UserError naming the file, tensor and values that do not fit. */
export async function loadBaseFolder(folder: string): Promise<Base> {
  const configPath = join(folder, 'config.json');
  const rawConfig = await readJsonObject(configPath);
  const model = createTextModel(rawConfig, configPath);
  const tokenizerFiles: TokenizerFiles = {
    tokenizer: await readJsonObject(join(folder, 'tokenizer.json')),
    config: await readJsonObject(join(folder, 'tokenizer_config.json')),
  };
  const tokenizer = openTokenizer(folder, tokenizerFiles);
  if (tokenizer.vocabularySize > model.vocabularySize) {
    throw new UserError(
      `${folder}: the tokenizer has ${tokenizer.vocabularySize} entries, the embedding ${model.vocabularySize}.`,
      'The tokenizer belongs to another model; take all files from the same place.',
    );
  }
  const weights = await openWeights(folder, model);
  return { source: folder, fresh: false, rawConfig, model, tokenizerFiles, tokenizer, weights };
}

function openTokenizer(folder: string, { tokenizer, config }: TokenizerFiles): Tokenizer {
  try {
    return createTokenizer(tokenizer, config);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `${join(folder, 'tokenizer.json')} is not a tokenizer we can read: ${reason.slice(0, 200)}`,
      'Take tokenizer.json and tokenizer_config.json from the model’s own folder.',
      { cause: error },
    );
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

async function openWeights(folder: string, model: TextModel): Promise<Map<string, BaseWeight>> {
  const path = join(folder, 'model.safetensors');
  if (!(await exists(path))) {
    const convert =
      'Convert it to model.safetensors: in Python, AutoModel.from_pretrained(folder).save_pretrained(folder).';
    for (const pickle of ['pytorch_model.bin', 'pytorch_model.bin.index.json']) {
      if (!(await exists(join(folder, pickle)))) continue;
      throw new UserError(`${folder} holds ${pickle}: a pickle may run any code and is never loaded.`, convert);
    }
    if (await exists(`${path}.index.json`)) {
      throw new UserError(`${folder} holds its weights in several files, which comes in a later version.`, convert);
    }
    throw new UserError(`${folder} holds no model.safetensors.`, 'Give a folder with the weights in safetensors.');
  }
  const file = await openSafetensors(path);
  const weights = new Map<string, BaseWeight>();
  const labels = file.tensors.get('classifier.bias')?.shape[0] ?? 1;
  for (const [name, { shape, part }] of model.parameters({ kind: 'classification', labels })) {
    const stored = model.storedNames(name).find((candidate) => file.tensors.has(candidate));
    const entry = stored === undefined ? undefined : file.tensors.get(stored);
    if (stored === undefined || !entry) {
      if (part !== 'body') continue;
      throw new UserError(`${path} has no tensor ${name}.`, 'The weights belong to another model than config.json.');
    }
    if (!sameShape(entry.shape, shape)) {
      throw new UserError(
        `${path}: tensor ${stored} is ${describeShape(entry.shape)}; config.json asks for ${describeShape(shape)}.`,
        'The weights belong to another model than config.json.',
      );
    }
    weights.set(name, {
      shape,
      range: entry.dtype === 'F32' ? entry.range : undefined,
      load: () => readFloats(file, stored),
    });
  }
  return weights;
}

function createTextModel(config: { readonly [key: string]: unknown }, source: string): TextModel {
  const model = createModel(config, source);
  if (model.modality === 'text') return model;
  throw new UserError(
    `${source}: ${model.modelType} is a model of images, not of text.`,
    'Give a text model, or data of images.',
  );
}
