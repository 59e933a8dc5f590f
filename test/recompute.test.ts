// Activations computed once more instead of kept: the same gradients, and a graph whose copies wait for the way back.
import { expect, test } from 'vitest';
import { addGradients } from '../engine/autodiff/gradients.ts';
import { createGraph, pruneGraph } from '../engine/graph/graph.ts';
import type { Value } from '../engine/graph/ops.ts';
import { createBert } from '../engine/models/bert.ts';
import { drawInitial } from '../engine/models/model.ts';
import { createRandom } from '../engine/random.ts';
import { classObjective } from '../engine/tuning/losses.ts';
import { createNetwork } from '../engine/tuning/network.ts';
import { textInputs } from '../engine/tuning/tasks/text-batches.ts';

const config = {
  model_type: 'bert',
  vocab_size: 40,
  hidden_size: 16,
  num_hidden_layers: 4,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 32,
  hidden_dropout_prob: 0.2,
  attention_probs_dropout_prob: 0.2,
};

async function gradientsOf(recompute: boolean) {
  const model = createBert(config, 'the test');
  const head = { kind: 'classification', labels: 3 } as const;
  const random = createRandom(5);
  const trainable = new Map(Array.from(model.parameters(head), ([name, spec]) => [name, drawInitial(spec, random)]));
  const parameters = { model, head, lora: undefined, trainable, frozen: new Map(), modulesToSave: [], count: 0 };
  const network = createNetwork(parameters, classObjective, { device: 'cpu', recompute });
  const { inputs } = textInputs(
    [
      [1, 5, 7, 2],
      [1, 9, 2],
    ],
    2,
    { padId: 0, maxLength: 16 },
  );
  const targets = { targets: { type: 'float32', shape: [2, 3], data: Float32Array.of(1, 0, 0, 0, 0.5, 0.5) } } as const;
  const result = await network.computeGradients({ inputs, targets, weight: 2 }, 17);
  await network.close();
  return result;
}

test('loss and every gradient are the same to the last bits, dropout included', async () => {
  const [kept, anew] = [await gradientsOf(false), await gradientsOf(true)];
  expect(anew.loss).toBe(kept.loss);
  expect([...anew.gradients.keys()]).toEqual([...kept.gradients.keys()]);
  for (const [name, gradient] of kept.gradients) {
    const scale = Math.max(...gradient.map(Math.abs), 1e-6);
    const other = anew.gradients.get(name);
    expect(
      Math.max(...gradient.map((value, index) => Math.abs(value - (other?.[index] ?? Number.NaN)))) / scale,
      name,
    ).toBeLessThan(1e-6);
  }
});

test('a block’s copies need the gradient that has come back, and nothing of a block but its input is kept', () => {
  const g = createGraph();
  const w = g.input('w', 'float32', [4]);
  const boundaries: number[] = [];
  let x: Value = g.op('Mul', [g.input('x', 'float32', [4]), w]);
  for (let block = 0; block < 3; block++) {
    boundaries.push(g.graph.nodes.length);
    x = g.op('Tanh', [g.op('Mul', [g.op('Exp', [x]), w])]);
  }
  const loss = g.op('ReduceSum', [x], { axes: [0], keepDims: false });
  const there = new Set(g.graph.nodes.flatMap(({ outputs }): string[] => outputs.map(({ name }) => name)));
  g.output('dw', addGradients(g, loss, [w], boundaries)[0] ?? loss);
  const kept = new Set<string>();
  for (const node of pruneGraph(g.graph).nodes) {
    if (node.outputs.some(({ name }) => there.has(name))) continue;
    for (const { name } of node.inputs) if (there.has(name)) kept.add(name);
  }
  // Two of the three blocks lie between boundaries: their inner values are made twice, and the first ones not kept.
  const exps = g.graph.nodes.filter(({ op }) => op === 'Exp');
  expect(exps).toHaveLength(5);
  for (const { outputs } of exps.slice(0, 2)) expect(kept.has(outputs[0].name)).toBe(false);
});
