// The model of images a run starts from: a checkpoint folder in Hugging Face layout, with its preprocessing.
import { access, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { createPreprocessor, imagenet_preprocessing, type Preprocessor } from '../data/images/preprocess.ts';
import { UserError } from '../errors.ts';
import { type Base, type BaseWeight, loadBaseFolder, loadTokenizer, openWeights } from './base.ts';
import { createModel } from './families.ts';
import { readJsonObject } from './files.ts';
import { fetchFromHub, parseHubModel } from './hub.ts';
import type { HubOptions } from './hub-options.ts';
import type { ImageModel, ImageTextModel } from './model.ts';
import { createResnet } from './resnet.ts';

export interface ImageBase {
  /** Shown to people and written into the artifact. */
  readonly source: string;
  /** Nothing in it is trained yet: every weight is missing and will be drawn at random. */
  readonly fresh: boolean;
  readonly rawConfig: { readonly [key: string]: unknown };
  readonly model: ImageModel;
  readonly preprocessing: { readonly [key: string]: unknown };
  readonly preprocessor: Preprocessor;
  readonly weights: ReadonlyMap<string, BaseWeight>;
}

const scratch = 'scratch:cnn';
/** A small residual network for small pictures. */
const scratch_config = {
  model_type: 'resnet',
  num_channels: 3,
  embedding_size: 32,
  hidden_sizes: [32, 64, 128],
  depths: [1, 1, 1],
  layer_type: 'basic',
  hidden_act: 'relu',
  image_size: 64,
} as const;

function createFreshImageBase(): ImageBase {
  const side = scratch_config.image_size;
  const preprocessing = { ...imagenet_preprocessing, size: { height: side, width: side } };
  return {
    source: scratch,
    fresh: true,
    rawConfig: scratch_config,
    model: createResnet(scratch_config, scratch),
    preprocessing,
    preprocessor: createPreprocessor(preprocessing, scratch),
    weights: new Map(),
  };
}

/**
 * @param model `scratch:cnn`, a folder, or a hub id.
 * @throws UserError when there is no such model, or it is one that cannot be used.
 */
export async function resolveImageBase(model: string, hub: HubOptions | undefined): Promise<ImageBase> {
  if (model === scratch) return createFreshImageBase();
  const folder = await stat(model).catch(() => undefined);
  if (folder?.isDirectory()) return loadImageBase(resolve(model));
  const onHub = folder ? undefined : parseHubModel(model);
  if (onHub && hub) return { ...(await loadImageBase(await fetchFromHub(onHub, hub))), source: model };
  throw new UserError(
    `There is no model folder ${model}.`,
    `Give ${scratch}, or the folder of a model of images: ResNet, MobileNetV2, ViT or CLIP, with config.json and model.safetensors.`,
  );
}

/** A model of images and texts, with what makes either into its numbers. */
export interface ImageTextBase extends Omit<ImageBase, 'model'>, Pick<Base, 'tokenizerFiles' | 'tokenizer'> {
  readonly model: ImageTextModel;
}

export type AnyBase = Base | ImageBase | ImageTextBase;

/** @throws UserError when there is no such model, or it is no model of images and texts. */
export async function resolveImageTextBase(model: string, hub: HubOptions | undefined): Promise<ImageTextBase> {
  const base = await resolveAnyBase(model, hub, true);
  if (base.model.modality === 'image-text' && 'tokenizer' in base && 'preprocessor' in base)
    return { ...base, model: base.model };
  throw new UserError(
    `${model} is a ${base.model.modelType}, which does not read pictures and texts together.`,
    'Give a CLIP model, with config.json, model.safetensors, tokenizer.json and preprocessor_config.json.',
  );
}

/**
 * A folder of any kind.
 * @param withTexts of a model of images that has a tower of texts too: whether that is wanted. As config.json says, unless given.
 * @throws UserError naming the file, tensor and values that do not fit.
 */
export async function loadAnyBase(folder: string, withTexts?: boolean): Promise<AnyBase> {
  const configPath = join(folder, 'config.json');
  const rawConfig = await readJsonObject(configPath);
  const model = createModel(rawConfig, configPath);
  if (model.modality !== 'image') return loadBaseFolder(folder);
  const towers = model.withTexts;
  const named = z.array(z.string()).catch([]).parse(rawConfig.architectures);
  if (!towers || !(withTexts ?? named.includes(towers.architecture({ kind: 'contrast' }))))
    return loadImageBase(folder);
  return {
    source: folder,
    fresh: false,
    rawConfig,
    model: towers,
    ...(await loadPreprocessor(folder)),
    ...(await loadTokenizer(folder, towers)),
    weights: await openWeights(folder, towers),
  };
}

/** A folder, or a model of the hub, of any kind. @throws UserError when there is no such model, or it cannot be used. */
export async function resolveAnyBase(
  model: string,
  hub: HubOptions | undefined,
  withTexts?: boolean,
): Promise<AnyBase> {
  const folder = await stat(model).catch(() => undefined);
  if (folder?.isDirectory()) return loadAnyBase(resolve(model), withTexts);
  const onHub = folder ? undefined : parseHubModel(model);
  if (onHub && hub) return { ...(await loadAnyBase(await fetchFromHub(onHub, hub), withTexts)), source: model };
  throw new UserError(`There is no model folder ${model}.`, 'Give an existing folder, or a model of the hub.');
}

export async function loadImageBase(folder: string): Promise<ImageBase> {
  const configPath = join(folder, 'config.json');
  const rawConfig = await readJsonObject(configPath);
  const model = createModel(rawConfig, configPath);
  if (model.modality !== 'image') {
    throw new UserError(
      `${configPath}: ${model.modelType} is a model of text, not of images.`,
      'Give a model of images, such as ResNet, MobileNetV2 or ViT.',
    );
  }
  const weights = await openWeights(folder, model);
  return { source: folder, fresh: false, rawConfig, model, ...(await loadPreprocessor(folder)), weights };
}

async function loadPreprocessor(folder: string): Promise<Pick<ImageBase, 'preprocessing' | 'preprocessor'>> {
  const path = join(folder, 'preprocessor_config.json');
  const known = await access(path).then(
    () => true,
    () => false,
  );
  const preprocessing = known ? await readJsonObject(path) : imagenet_preprocessing;
  return { preprocessing, preprocessor: createPreprocessor(preprocessing, path) };
}
