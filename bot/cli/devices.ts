// doctor's lines about devices: how fast each is, which one `auto` takes, and what CUDA misses, with the next step.
import type { DeviceLook } from '../../engine/index.ts';

type Speed = DeviceLook['speeds'][number];

export function describeDevices({ speeds, auto, cuda }: DeviceLook): readonly string[] {
  const hasCuda = speeds.some((speed) => speed.device === 'cuda' && !('problem' in speed));
  return [
    ...speeds.map(describeSpeed),
    `✓ DEVICE=auto means ${auto.device}: ${auto.why}`,
    ...(hasCuda ? [] : describeCuda(cuda)),
  ];
}

function describeSpeed(speed: Speed): string {
  if ('problem' in speed) return `– ${speed.device} can't be used here: ${firstSentence(speed.problem)}`;
  return `✓ ${speed.device}: matrix products at ${round(speed.matmulGflops)} GFLOP/s, memory at ${round(speed.bandwidthGBs)} GB/s`;
}

/** A GPU that waits for CUDA is worth a line for each piece; without one there is nothing to mend. */
function describeCuda({ gpu, missing }: DeviceLook['cuda']): readonly string[] {
  if (!gpu) return ['– cuda: no NVIDIA GPU is here'];
  if (missing.length === 0) return ["– cuda can't be used here, though every library is there"];
  return missing.map(({ name, next }) => `✗ cuda misses ${name}: ${next}`);
}

const round = (value: number) => (value < 10 ? value.toPrecision(2) : value.toFixed(0));

/** Of what onnxruntime says, without where in its sources it says it. */
function firstSentence(problem: string): string {
  const [sentence = ''] = problem.replace(/^.*?(?=Failed to )/s, '').split(/(?<=[^A-Z])\. |\n/);
  return sentence.length > 200 ? `${sentence.slice(0, 199)}…` : sentence;
}
