// The model a run starts from: a fresh small encoder, or a checkpoint folder in Hugging Face layout.
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createTokenizer, type Tokenizer } from '../data/tokenizer.ts';
import { learnWordPiece, type TokenizerFiles } from '../data/vocabulary.ts';
import { UserError } from '../errors.ts';
import type { ExternalType, FileRange } from '../graph/graph.ts';
import { describeShape, type FloatTensor, type Shape, sameShape } from '../graph/tensor.ts';
import { openCheckpoint, type StoredTensor } from './checkpoint.ts';
import { createModel } from './families.ts';
import { readJsonObject } from './files.ts';
import { fetchFromHub, parseHubModel } from './hub.ts';
import type { HubOptions } from './hub-options.ts';
import type { Head, Model, ParameterSpec, TextModel } from './model.ts';

/** Numbers of a file that a graph may use where they lie. */
export interface InPlace {
  readonly type: ExternalType;
  readonly range: FileRange;
}

/** A matrix [out, in] in four bits, where it lies. */
export interface FourBitMatrix {
  readonly out: number;
  readonly in: number;
  readonly blockSize: number;
  /** Bytes [out, in/blockSize, blockSize/2]. */
  readonly packed: FileRange;
  /** Float32 [out·in/blockSize]. */
  readonly steps: FileRange;
}

/** A weight of the checkpoint; `inPlace` when its bytes can be used where they lie. */
export interface BaseWeight {
  readonly shape: Shape;
  readonly inPlace: InPlace | undefined;
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
  /** `generation_config.json`, where the model has one: how it is meant to write. */
  readonly generationConfig?: { readonly [key: string]: unknown } | undefined;
  /** By the names of `model.parameters`; the head may be missing. */
  readonly weights: ReadonlyMap<string, BaseWeight>;
  /** The matrices of the body that are used in four bits, by weight name. */
  readonly fourBit?: ReadonlyMap<string, FourBitMatrix> | undefined;
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
 * @param model `scratch:tiny`, a folder, or a hub id such as `distilbert/distilbert-base-uncased`, with `@revision` or without.
 * @param trainingTexts what a fresh model learns its vocabulary from.
 * @throws UserError when there is no such model, or it is one that cannot be used.
 */
export async function resolveBase(model: string, trainingTexts: readonly string[], hub?: HubOptions): Promise<Base> {
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
  const onHub = parseHubModel(model);
  if (onHub && hub) return { ...(await loadBaseFolder(await fetchFromHub(onHub, hub))), source: model };
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
  const { tokenizerFiles, tokenizer } = await loadTokenizer(folder, model);
  const weights = await openWeights(folder, model);
  const generationPath = join(folder, 'generation_config.json');
  const generationConfig = (await isFile(generationPath)) ? await readJsonObject(generationPath) : undefined;
  return { source: folder, fresh: false, rawConfig, model, tokenizerFiles, tokenizer, generationConfig, weights };
}

/** @throws UserError for one that cannot be read, or that has more entries than the model's embedding. */
export async function loadTokenizer(
  folder: string,
  { vocabularySize }: Pick<TextModel, 'vocabularySize'>,
): Promise<Pick<Base, 'tokenizerFiles' | 'tokenizer'>> {
  const tokenizerFiles: TokenizerFiles = {
    tokenizer: await readJsonObject(join(folder, 'tokenizer.json')),
    config: await readTokenizerConfig(folder),
  };
  const tokenizer = openTokenizer(folder, tokenizerFiles);
  if (tokenizer.vocabularySize > vocabularySize) {
    throw new UserError(
      `${folder}: the tokenizer has ${tokenizer.vocabularySize} entries, the embedding ${vocabularySize}.`,
      'The tokenizer belongs to another model; take all files from the same place.',
    );
  }
  return { tokenizerFiles, tokenizer };
}

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** With the chat template that newer models keep in a file of its own. */
async function readTokenizerConfig(folder: string): Promise<{ readonly [key: string]: unknown }> {
  const config = await readJsonObject(join(folder, 'tokenizer_config.json'));
  const templatePath = join(folder, 'chat_template.jinja');
  if (config.chat_template !== undefined || !(await isFile(templatePath))) return config;
  return { ...config, chat_template: await readFile(templatePath, 'utf8') };
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

/** Each weight of the model that the checkpoint has, whichever head it was saved with. */
export async function openWeights(folder: string, model: Model): Promise<Map<string, BaseWeight>> {
  const stored = await openCheckpoint(folder);
  const weights = new Map<string, BaseWeight>();
  for (const [name, spec] of allParameters(model)) {
    const storedName = model.storedNames(name).find((candidate) => stored.has(candidate));
    const tensor = storedName === undefined ? undefined : stored.get(storedName);
    if (storedName === undefined || !tensor) {
      if (spec.part !== 'body') continue;
      throw new UserError(`${folder} has no tensor ${name}.`, 'The weights belong to another model than config.json.');
    }
    // A head is as large as the task it was trained for.
    if (spec.part !== 'head' && !sameShape(tensor.shape, spec.shape)) {
      throw new UserError(
        `${tensor.path}: tensor ${storedName} is ${describeShape(tensor.shape)}; config.json asks for ${describeShape(spec.shape)}.`,
        'The weights belong to another model than config.json.',
      );
    }
    weights.set(name, { shape: tensor.shape, inPlace: useInPlace(tensor), load: () => tensor.load() });
  }
  return weights;
}

/** The weights of all the heads that fit the family; the size of a head is not known here. */
function allParameters(model: Model): Map<string, ParameterSpec> {
  const heads = { classification: { labels: 1 }, regression: { targets: 1 }, 'token-classification': { labels: 1 } };
  const all = new Map<string, ParameterSpec>();
  for (const kind of model.heads) {
    const head = { kind, ...(kind in heads ? heads[kind as keyof typeof heads] : {}) } as Head;
    for (const [name, spec] of model.parameters(head)) if (!all.has(name)) all.set(name, spec);
  }
  return all;
}

const external_types: { readonly [dtype: string]: ExternalType } = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/** onnxruntime reads numbers at multiples of their size only. */
function useInPlace({ dtype, range }: StoredTensor): InPlace | undefined {
  const type = external_types[dtype];
  return type && range.offset % (type === 'float32' ? 4 : 2) === 0 ? { type, range } : undefined;
}

function createTextModel(config: { readonly [key: string]: unknown }, source: string): TextModel {
  const model = createModel(config, source);
  if (model.modality === 'text') return model;
  throw new UserError(
    `${source}: ${model.modelType} is a model of images, not of text.`,
    'Give a text model, or data of images.',
  );
}
