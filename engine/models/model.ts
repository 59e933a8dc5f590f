// What every model family is to the rest of the engine: weights by their checkpoint names and a function to a graph.
import type { Value } from '../graph/ops.ts';
import { elementCount, type FloatTensor, type Shape } from '../graph/tensor.ts';
import type { Random } from '../random.ts';
import type { KeyValue } from './attention.ts';
import type { Layers } from './layers.ts';

/** What a model answers, and with how many numbers. */
export type Head =
  /** [rows, labels] logits of a text or an image. */
  | { readonly kind: 'classification'; readonly labels: number }
  /** [rows, targets] real numbers. */
  | { readonly kind: 'regression'; readonly targets: number }
  /** [rows, length, labels] logits, one answer a token. */
  | { readonly kind: 'token-classification'; readonly labels: number }
  /** [rows, length, vocabulary] logits of hidden tokens. */
  | { readonly kind: 'masked-lm' }
  /** [rows, length, vocabulary] logits of the token that follows. */
  | { readonly kind: 'causal-lm' }
  /** [rows, hidden]: a text's or image's vector. */
  | { readonly kind: 'embedding' }
  /** [texts, images]: how well each text fits each image, as logits. */
  | { readonly kind: 'contrast' };

export type HeadKind = Head['kind'];

/** How a weight that the checkpoint lacks is drawn. */
export type Initial = 'zeros' | 'ones' | { readonly normal: number } | { readonly constant: number };

/**
 * `head`: belongs to one task, always drawn anew for a new one; `pooler`: of the pretraining (a pooler, the head of a
 * language model), used where the checkpoint has it, else drawn and trained with the head.
 */
export type Part = 'body' | 'pooler' | 'head';

export interface ParameterSpec {
  readonly shape: Shape;
  readonly part: Part;
  readonly initial: Initial;
  /** Kept with the weights and never trained by a gradient: running statistics of a batch normalisation. */
  readonly isBuffer?: true;
}

/** Names as Hugging Face writes them for the class with this head, such as `BertForSequenceClassification`. */
export type ParameterSpecs = ReadonlyMap<string, ParameterSpec>;

export interface TextInputs {
  /** [rows, length] int32; padding stands on the right. */
  readonly inputIds: Value;
  /**
   * [rows, 1, 1, length] float32: 0 where there is a token, very negative where there is padding. For a decoder also
   * [rows, 1, length, length]: what each token may see of what stands before it.
   */
  readonly attentionBias: Value;
  /** [rows, length] int32: each token's place in its text, for a decoder that reads several texts in a row; else 0, 1, 2, … */
  readonly positions?: Value | undefined;
}

export interface ImageInputs {
  /** [rows, channels, height, width] float32, already normalised. */
  readonly pixelValues: Value;
}

/** A linear layer that LoRA may adapt: `${name}.weight` is [out, in], or [in, out] as GPT-2's Conv1D keeps it. */
export interface LinearTarget {
  readonly name: string;
  readonly layout: 'out-in' | 'in-out';
}

interface CommonModel {
  /** `model_type` of its config.json. */
  readonly modelType: string;
  /** The heads that fit this family. */
  readonly heads: readonly HeadKind[];
  /** Every weight with this head. Tied weights appear once, under the name that is stored. */
  parameters(head: Head): ParameterSpecs;
  /** Other names that checkpoints give a weight, best first; the name itself included. */
  storedNames(name: string): readonly string[];
  /** The name since version 5 of Hugging Face's library, for a family whose modules it renamed: adapters go by them. */
  renamed?(name: string): string;
  /** `architectures[0]` of the config.json of this family with this head. */
  architecture(head: Head): string;
  /** The linear layers that LoRA adapts unless others are asked for, as PEFT chooses them. */
  readonly loraTargets: readonly LinearTarget[];
}

export interface TextModel extends CommonModel {
  readonly modality: 'text';
  /** A decoder sees only what stands before. */
  readonly direction: 'encoder' | 'decoder';
  readonly vocabularySize: number;
  /** Tokens it can read at once. */
  readonly maxLength: number;
  readonly hiddenSize: number;
  /** Adds the network. @returns what the head answers, in the shape written beside it. */
  build(layers: Layers, inputs: TextInputs, head: Head): Value;
  /** How a causal language model goes on writing; an encoder does not. */
  readonly decoding: Decoding | undefined;
}

/** New tokens, after others whose keys and values are kept. */
export interface CachedInputs {
  /** [rows, length] int32. */
  readonly inputIds: Value;
  /** [rows, length] int32: each token's place in its text, from 0. */
  readonly positions: Value;
  /** All positions lie below it. */
  readonly positionLimit: number;
  /** [rows, 1, length, past + length] float32: 0 where a new token sees, very negative where it does not. */
  readonly attentionBias: Value;
  /** The same for layers that see only the nearest `slidingWindow` places; for a model that has such. */
  readonly slidingBias?: Value;
  /** [n] int32: which of the rows · length new tokens are answered for; all, unless said. */
  readonly scored?: Value;
  /** One a layer, each [rows, keyHeads, past, depth]; none when these tokens are the first. */
  readonly past: readonly KeyValue[];
}

export interface CachedOutputs {
  /**
   * Logits of the token that follows, [rows, length, vocabulary], or [1, n, vocabulary] of those asked for. Of another head
   * what it answers, [n, outputs], or [rows, length, outputs] where each token is answered for.
   */
  readonly logits: Value;
  /** One a layer, each [rows, keyHeads, past + length, depth]. */
  readonly presents: readonly KeyValue[];
  /** The new tokens' part of them, each [rows, keyHeads, length, depth]. */
  readonly added: readonly KeyValue[];
}

export interface Decoding {
  readonly layers: number;
  readonly keyHeads: number;
  /** Numbers in one head's key or value. */
  readonly depth: number;
  readonly slidingWindow: number | undefined;
  /** Adds the network with this head, its language-model head unless one is given. */
  build(layers: Layers, inputs: CachedInputs, head?: Head): CachedOutputs;
}

export interface ImageModel extends CommonModel {
  readonly modality: 'image';
  readonly channels: number;
  /** Height and width in pixels of the images it was made for. */
  readonly imageSize: number;
  /** Numbers in an image's features. */
  readonly hiddenSize: number;
  /** The body: pixels → features [rows, hiddenSize], which a head alone can be trained on again and again. */
  buildFeatures(layers: Layers, inputs: ImageInputs): Value;
  /** The head: features → what it answers. */
  buildHead(layers: Layers, features: Value, head: Head): Value;
  /** Both in one. */
  build(layers: Layers, inputs: ImageInputs, head: Head): Value;
  /** The same family with its tower of texts, where it has one. */
  readonly withTexts?: ImageTextModel;
}

/** The attention's bias may also be [rows, 1, length, length] and say all that each token sees, that it looks back only included. */
interface CaptionInputs extends TextInputs {
  /** [rows] int32: where each text's end token stands, counted through all of `inputIds`. */
  readonly ends: Value;
}

/** A tower of images and one of texts, whose vectors of a pair are drawn together. */
export interface ImageTextModel extends CommonModel {
  readonly modality: 'image-text';
  readonly channels: number;
  readonly imageSize: number;
  readonly vocabularySize: number;
  /** Tokens of a text. */
  readonly maxLength: number;
  /** Numbers in a vector. */
  readonly hiddenSize: number;
  /** [images, hiddenSize], of length 1. */
  imageVectors(layers: Layers, inputs: ImageInputs): Value;
  /** [texts, hiddenSize], as long as cosines are scaled: products with the images' vectors are logits. */
  textVectors(layers: Layers, inputs: CaptionInputs): Value;
  /** [texts, images]: logits of all pairs. */
  build(layers: Layers, inputs: ImageInputs & CaptionInputs): Value;
}

export type Model = TextModel | ImageModel | ImageTextModel;

/** A new weight as its family starts. */
export function drawInitial({ shape, initial }: ParameterSpec, random: Random): FloatTensor {
  const data = new Float32Array(elementCount(shape));
  if (initial === 'ones') data.fill(1);
  else if (typeof initial === 'object' && 'constant' in initial) data.fill(initial.constant);
  else if (initial !== 'zeros') for (let i = 0; i < data.length; i++) data[i] = initial.normal * random.normal();
  return { shape, data };
}
