// What stands before an exported text network: the inputs that Transformers.js feeds, made into those of our graphs.
import type { OnnxInput, OnnxNode, OnnxPort } from '../graph/onnx-bytes.ts';
import { type_codes } from '../graph/onnx-bytes.ts';
import { sizeName } from './generalize.ts';

export interface Prologue {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxPort[];
}

/** Added to the score of what may not be seen: e^−10,000 is 0 in any float. */
const unseen = -10_000;

const node = (
  type: string,
  inputs: readonly OnnxInput[],
  output: string,
  attributes: OnnxNode['attributes'] = {},
): OnnxNode => ({ type, inputs, outputs: [output], attributes });
const cast = (input: string, to: keyof typeof type_codes, output: string) =>
  node('Cast', [input], output, { to: { int: type_codes[to] } });

/** The size of one axis of an input, as a vector of one number. */
function takeSize(input: string, axis: number, expression: string): OnnxNode[] {
  const shape = `shape_of_${input}_for_${expression}`;
  return [
    node('Shape', [input], shape),
    node('Slice', [shape, { ints: [axis] }, { ints: [axis + 1] }, { ints: [0] }], sizeName(expression)),
  ];
}

const input_ids: OnnxPort = { name: 'input_ids', type: 'int64', shape: ['batch_size', 'sequence_length'] };

/** `input_ids`, `attention_mask` → `inputIds`, `attentionBias`. */
export function encoderPrologue(): Prologue {
  return {
    inputs: [input_ids, { name: 'attention_mask', type: 'int64', shape: ['batch_size', 'sequence_length'] }],
    nodes: [
      ...takeSize('input_ids', 0, 'rows'),
      ...takeSize('input_ids', 1, 'length'),
      cast('input_ids', 'int32', 'inputIds'),
      cast('attention_mask', 'float32', 'mask'),
      node('Sub', [{ float: 1 }, 'mask'], 'padding'),
      node('Mul', ['padding', { float: unseen }], 'flatBias'),
      node('Unsqueeze', ['flatBias', { ints: [1, 2] }], 'attentionBias'),
    ],
  };
}

/**
 * The same for texts whose tokens look back only: what each sees, [rows, 1, length, length], its place in its text, padding
 * on the left not counted, and `ends`, where each text's last token stands.
 */
export function readerPrologue(slidingWindow?: number): Prologue {
  const { inputs, nodes } = encoderPrologue();
  return {
    inputs,
    nodes: [
      ...nodes.filter(({ outputs: [output] }) => output !== 'attentionBias' && output !== 'flatBias'),
      ...scalars,
      node('Reshape', [sizeName('length'), { ints: [] }], 'end'),
      node('Range', ['zero', 'end', 'one'], 'keys'),
      node('Unsqueeze', ['keys', { ints: [1] }], 'queries'),
      node('Unsqueeze', ['padding', { ints: [1, 2] }], 'widePadding'),
      ...sightNodes('widePadding', slidingWindow),
      node('CumSum', ['attention_mask', 'one'], 'counted'),
      node('Sub', ['counted', { ints: [1] }], 'fromZero'),
      node('Max', ['fromZero', { ints: [0] }], 'widePositions'),
      cast('widePositions', 'int32', 'positions'),
      node('Reshape', [sizeName('rows'), { ints: [] }], 'texts'),
      node('Range', ['zero', 'texts', 'one'], 'places'),
      node('Mul', ['places', sizeName('length')], 'starts'),
      node('Mul', ['attention_mask', 'keys'], 'seenPlaces'),
      node('ReduceMax', ['seenPlaces', { ints: [1] }], 'lastPlaces', { keepdims: { int: 0 } }),
      node('Add', ['starts', 'lastPlaces'], 'wideEnds'),
      cast('wideEnds', 'int32', 'ends'),
    ],
  };
}

/** The same for texts beside images, whose number stands for the past. */
export function towersPrologue(): Prologue {
  const { inputs, nodes } = readerPrologue();
  return { inputs, nodes: [...nodes, ...takeSize('pixel_values', 0, 'past')] };
}

const scalars: readonly OnnxNode[] = [
  node('Reshape', [{ ints: [0] }, { ints: [] }], 'zero'),
  node('Reshape', [{ ints: [1] }, { ints: [] }], 'one'),
];

/** `keys` [total], `queries` [length, 1] and 1 where there is padding → `attentionBias`, and `slidingBias` where there is a window. */
const sightNodes = (padding: string, slidingWindow: number | undefined): readonly OnnxNode[] => [
  node('Greater', ['keys', 'queries'], 'isLater'),
  cast('isLater', 'float32', 'later'),
  node('Max', [padding, 'later'], 'hidden'),
  node('Mul', ['hidden', { float: unseen }], 'attentionBias'),
  ...(slidingWindow === undefined
    ? []
    : [
        // Too far back: key ≤ query − window.
        node('Sub', ['queries', { ints: [slidingWindow] }], 'horizon'),
        node('LessOrEqual', ['keys', 'horizon'], 'isFar'),
        cast('isFar', 'float32', 'far'),
        node('Max', ['hidden', 'far'], 'slidingHidden'),
        node('Mul', ['slidingHidden', { float: unseen }], 'slidingBias'),
      ]),
];

export const pastName = (layer: number, part: 'key' | 'value') => `past_key_values.${layer}.${part}`;
export const presentName = (layer: number, part: 'key' | 'value') => `present.${layer}.${part}`;

/**
 * `input_ids`, `attention_mask` over past and new tokens, `position_ids`, the past's keys and values → `inputIds`, `positions`,
 * `attentionBias` and, where the model looks back only so far, `slidingBias`.
 */
export function decoderPrologue({
  layers,
  keyHeads,
  depth,
  slidingWindow,
}: {
  readonly layers: number;
  readonly keyHeads: number;
  readonly depth: number;
  readonly slidingWindow: number | undefined;
}): Prologue {
  const past = Array.from({ length: layers }, (_, layer) =>
    (['key', 'value'] as const).map(
      (part): OnnxPort => ({
        name: pastName(layer, part),
        type: 'float32',
        shape: ['batch_size', keyHeads, 'past_sequence_length', depth],
      }),
    ),
  ).flat();
  return {
    inputs: [
      input_ids,
      { name: 'attention_mask', type: 'int64', shape: ['batch_size', 'total_sequence_length'] },
      { name: 'position_ids', type: 'int64', shape: ['batch_size', 'sequence_length'] },
      ...past,
    ],
    nodes: [
      ...takeSize('input_ids', 0, 'rows'),
      ...takeSize('input_ids', 1, 'length'),
      ...takeSize(pastName(0, 'key'), 2, 'past'),
      cast('input_ids', 'int32', 'inputIds'),
      cast('position_ids', 'int32', 'positions'),
      node('Add', [sizeName('length'), sizeName('past')], 'allTokens'),
      node('Reshape', [sizeName('past'), { ints: [] }], 'firstNew'),
      node('Reshape', ['allTokens', { ints: [] }], 'end'),
      ...scalars,
      // [total] and [length, 1]: the places of what is seen and of what sees.
      node('Range', ['zero', 'end', 'one'], 'keys'),
      node('Range', ['firstNew', 'end', 'one'], 'flatQueries'),
      node('Unsqueeze', ['flatQueries', { ints: [1] }], 'queries'),
      cast('attention_mask', 'float32', 'mask'),
      node('Sub', [{ float: 1 }, 'mask'], 'flatPadding'),
      // [rows, 1, 1, total] with [length, total] → [rows, 1, length, total].
      node('Unsqueeze', ['flatPadding', { ints: [1, 2] }], 'padding'),
      ...sightNodes('padding', slidingWindow),
    ],
  };
}
