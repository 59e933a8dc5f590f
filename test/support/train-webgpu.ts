// Run as a process of its own, with a Vulkan driver in its environment: a few steps of the same small model on the CPU and on
// WebGPU, nothing falling back, and how far the weights lie apart; or why there is no adapter.
import { createBert } from '../../engine/models/bert.ts';
import { drawInitial } from '../../engine/models/model.ts';
import { createRandom } from '../../engine/random.ts';
import { classObjective } from '../../engine/tuning/losses.ts';
import { createNetwork } from '../../engine/tuning/network.ts';
import { createSgd } from '../../engine/tuning/optimizers/sgd.ts';
import { textInputs } from '../../engine/tuning/tasks/text-batches.ts';

const config = {
  model_type: 'bert',
  vocab_size: 40,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 16,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
};
const head = { kind: 'classification', labels: 3 } as const;
const steps = 6;

async function trainOn(device: 'cpu' | 'webgpu') {
  const model = createBert(config, 'the test');
  const random = createRandom(5);
  const trainable = new Map(Array.from(model.parameters(head), ([name, spec]) => [name, drawInitial(spec, random)]));
  const parameters = { model, head, lora: undefined, trainable, frozen: new Map(), modulesToSave: [], count: 0 };
  const network = createNetwork(parameters, classObjective, { device });
  const optimizer = createSgd(trainable, { momentum: 0.9, nesterov: false, weightDecay: 0 });
  const { inputs } = textInputs(
    [
      [1, 5, 7, 2],
      [1, 9, 2],
    ],
    2,
    { padId: 0, maxLength: 8 },
  );
  const targets = { targets: { type: 'float32', shape: [2, 3], data: Float32Array.of(1, 0, 0, 0, 0, 1) } } as const;
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const { loss, gradients } = await network.computeGradients({ inputs, targets, weight: 2 }, step);
    optimizer.step(gradients, { step, learningRate: 0.05, gradientScale: 0.5 });
    losses.push(loss);
  }
  return { losses, trainable };
}

function furthest(a: Float32Array, b: Float32Array): number {
  const scale = Math.max(...a.map(Math.abs), 1e-3);
  return Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN)))) / scale;
}

const cpu = await trainOn('cpu');
let answer: object;
try {
  const gpu = await trainOn('webgpu');
  const apart = Array.from(cpu.trainable, ([name, { data }]) => furthest(data, gpu.trainable.get(name)?.data ?? data));
  answer = { losses: { cpu: cpu.losses, webgpu: gpu.losses }, furthest: Math.max(...apart) };
} catch (error) {
  answer = { unavailable: error instanceof Error ? error.message : String(error) };
}
process.stdout.write(JSON.stringify(answer));
// The WebGPU device keeps the process alive.
process.exit(0);
