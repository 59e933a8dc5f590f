// The activation functions of config.json, by the names Hugging Face gives them.
import { z } from 'zod';
import type { GraphBuilder } from '../graph/graph.ts';
import type { Value } from '../graph/ops.ts';

type Activate = (g: GraphBuilder, x: Value) => Value;

const gelu: Activate = (g, x) => g.op('Gelu', [x]);
const tanhGelu: Activate = (g, x) => g.op('GeluTanh', [x]);
const silu: Activate = (g, x) => g.op('Silu', [x]);

const activations = {
  gelu,
  gelu_python: gelu,
  gelu_new: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  /** x·σ(1.702x), of CLIP. */
  quick_gelu: (g, x) => g.op('Mul', [x, g.op('Sigmoid', [g.op('Mul', [x, g.scalar(1.702)])])]),
  relu: (g, x) => g.op('Relu', [x]),
  silu,
  swish: silu,
  tanh: (g, x) => g.op('Tanh', [x]),
} satisfies { readonly [name: string]: Activate };

export type Activation = keyof typeof activations;
const isActivation = (name: unknown): name is Activation =>
  typeof name === 'string' && Object.hasOwn(activations, name);

/** A field of config.json that names an activation. */
export const activationSchema = z.custom<Activation>(isActivation, {
  error: ({ input }) =>
    `is ${JSON.stringify(input)}, which is not supported; supported: ${Object.keys(activations).join(', ')}`,
});

export function activate(g: GraphBuilder, activation: Activation, x: Value): Value {
  return activations[activation](g, x);
}
