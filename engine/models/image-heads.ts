// What image models answer from their features: class scores, numbers, or the features themselves.
import type { Value } from '../graph/ops.ts';
import type { Layers } from './layers.ts';
import type { Head, HeadKind, ImageModel, ParameterSpec } from './model.ts';

export const image_heads = ['classification', 'regression', 'embedding'] as const satisfies readonly HeadKind[];

/** Joins body and head. */
export function completeImageModel(model: Omit<ImageModel, 'build'>): ImageModel {
  const build: ImageModel['build'] = (layers, inputs, head) =>
    model.buildHead(layers, model.buildFeatures(layers, inputs), head);
  return { ...model, build };
}

const widthOf = (head: Head): number | undefined => {
  if (head.kind === 'classification') return head.labels;
  return head.kind === 'regression' ? head.targets : undefined;
};

/** The linear layer `name`, for a head that has one. */
export function imageHeadParameters(name: string, hidden: number, head: Head, deviation: number) {
  const width = widthOf(head);
  const specs: [string, ParameterSpec][] =
    width === undefined
      ? []
      : [
          [`${name}.weight`, { shape: [width, hidden], part: 'head', initial: { normal: deviation } }],
          [`${name}.bias`, { shape: [width], part: 'head', initial: 'zeros' }],
        ];
  return specs;
}

/** @returns [rows, labels], [rows, targets], or the features for an embedding. @throws Error for a head of texts. */
export function buildImageHead(layers: Layers, features: Value, name: string, head: Head, dropout = 0): Value {
  if (head.kind === 'embedding') return features;
  if (widthOf(head) === undefined) throw new Error(`a model of images has no ${head.kind} head`);
  return layers.linear(layers.dropout(features, dropout), name);
}
