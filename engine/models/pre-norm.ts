// The encoder of ViT and CLIP: each part reads what was normalised and adds to what was not (Xiong et al. 2020).
import type { Value } from '../graph/ops.ts';
import { type Activation, activate } from './activations.ts';
import { attend } from './attention.ts';
import type { Layers } from './layers.ts';
import type { LinearTarget } from './model.ts';
import type { SpecCollector } from './specs.ts';

/** Names of one layer's linear layers and norms. */
interface LayerNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attentionOutput: string;
  readonly inner: string;
  readonly output: string;
  readonly firstNorm: string;
  readonly secondNorm: string;
}

export interface PreNormDesign {
  readonly hidden: number;
  readonly inner: number;
  readonly layers: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly epsilon: number;
  /** Query, key and value have biases. */
  readonly attentionBias: boolean;
  /** Shares dropped in training. */
  readonly dropout: { readonly hidden: number; readonly probabilities: number };
  layer(index: number): LayerNames;
}

const layersOf = (design: PreNormDesign) => Array.from({ length: design.layers }, (_, index) => design.layer(index));

export function addPreNormSpecs(collector: SpecCollector, design: PreNormDesign): void {
  const { hidden, inner, attentionBias: bias } = design;
  for (const names of layersOf(design)) {
    for (const part of [names.query, names.key, names.value]) collector.linear(part, hidden, hidden, { bias });
    collector.linear(names.attentionOutput, hidden, hidden);
    collector.linear(names.inner, inner, hidden);
    collector.linear(names.output, hidden, inner);
    collector.norm(names.firstNorm, hidden);
    collector.norm(names.secondNorm, hidden);
  }
}

/** Query and value of every layer, as PEFT chooses them. */
export function preNormLoraTargets(design: PreNormDesign): LinearTarget[] {
  return layersOf(design).flatMap(({ query, value }) => [
    { name: query, layout: 'out-in' },
    { name: value, layout: 'out-in' },
  ]);
}

/** x [rows · length, hidden] → the same. @param bias as in `AttentionInputs`. */
export function buildPreNorm(layers: Layers, design: PreNormDesign, x: Value, rows: number, bias: Value): Value {
  return layersOf(design).reduce((y, names) => addLayer(layers, design, names, y, rows, bias), x);
}

function addLayer(
  layers: Layers,
  design: PreNormDesign,
  names: LayerNames,
  x: Value,
  rows: number,
  bias: Value,
): Value {
  const { g } = layers;
  const { heads, hidden, dropout, attentionBias } = design;
  const depth = hidden / heads;
  const length = (x.shape[0] ?? 0) / rows;
  layers.boundary();
  const seen = normalize(layers, x, names.firstNorm, design.epsilon);
  const project = (name: string) => layers.linear(seen, name, { bias: attentionBias });
  const context = attend(
    layers,
    {
      query: g.op('Mul', [project(names.query), g.scalar(1 / Math.sqrt(depth))]),
      key: project(names.key),
      value: project(names.value),
      bias,
    },
    { rows, length, heads, keyHeads: heads, depth, dropout: dropout.probabilities },
  );
  const attended = layers.dropout(layers.linear(context, names.attentionOutput), dropout.hidden);
  const y = g.op('Add', [attended, x]);
  const inner = layers.linear(normalize(layers, y, names.secondNorm, design.epsilon), names.inner);
  const output = layers.linear(activate(g, design.activation, inner), names.output);
  return g.op('Add', [layers.dropout(output, dropout.hidden), y]);
}

export function normalize({ g, weight }: Layers, x: Value, name: string, epsilon: number): Value {
  return g.op('LayerNormalization', [x, weight(`${name}.weight`), weight(`${name}.bias`)], { epsilon });
}
