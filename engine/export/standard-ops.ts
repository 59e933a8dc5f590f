// Spells out ops that onnxruntime alone knows, yet keeps in the standard's own domain: other readers of ONNX refuse them there.
import type { OnnxNode } from '../graph/onnx-bytes.ts';

/** @returns the nodes in ops of the ONNX standard, or of onnxruntime's own domain. */
export function spellOut(nodes: readonly OnnxNode[]): readonly OnnxNode[] {
  return nodes.flatMap((node) => (node.type === 'SimplifiedLayerNormalization' ? rootMeanSquare(node) : [node]));
}

/** x ÷ √(mean(x²) + ε) · γ (Zhang & Sennrich 2019), in the form that onnxruntime puts together again. */
function rootMeanSquare({ inputs: [x = '', weight = ''], outputs: [output = ''], attributes }: OnnxNode): OnnxNode[] {
  const { epsilon } = attributes;
  if (!epsilon || !('float' in epsilon)) throw new Error('a normalisation without an epsilon');
  const step = (
    type: string,
    inputs: OnnxNode['inputs'],
    name: string,
    more: OnnxNode['attributes'] = {},
  ): OnnxNode => ({
    type,
    attributes: more,
    inputs,
    outputs: [name],
  });
  const part = (name: string) => `${output}_${name}`;
  return [
    step('Pow', [x, { float: 2 }], part('squares')),
    step('ReduceMean', [part('squares'), { ints: [-1] }], part('mean'), { keepdims: { int: 1 } }),
    step('Add', [part('mean'), { float: epsilon.float }], part('raised')),
    step('Sqrt', [part('raised')], part('root')),
    step('Div', [x, part('root')], part('normal')),
    step('Mul', [part('normal'), weight], output),
  ];
}
