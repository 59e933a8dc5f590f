// A run that cannot fit is refused before it starts, with what would fit: each way is forecast like the run itself.
import { UserError } from '../errors.ts';
import { elementCount } from '../graph/tensor.ts';
import { four_bit_block_size } from '../models/four-bit.ts';
import type { RunSpec } from '../runs/spec.ts';
import { addedBytes, type Forecast, reckon, sizeOf, typicalBatches } from './forecast.ts';
import { type Parameters, prepareParameters, usesAdapters } from './parameters.ts';
import type { PreparedRun } from './prepare.ts';

type Hyper = RunSpec['hyper'];

/** What a run may change to need less. */
interface Way {
  readonly batchSize?: number;
  readonly recompute?: true;
  readonly method?: 'lora' | 'qlora';
  readonly optimizer?: 'adafactor';
}

/** @throws UserError when the run would need more memory than there is, naming what would fit. */
export async function refuseTooLarge(
  run: PreparedRun,
  { peakBytes, processBytes }: Forecast,
  availableBytes: number,
): Promise<void> {
  const room = processBytes + availableBytes;
  if (peakBytes <= room) return;
  const fitting = await findFitting(run, processBytes, room);
  throw new UserError(
    `This run would need about ${inGigabytes(peakBytes)} of memory; there is room for ${inGigabytes(room)}.`,
    fitting.length === 0
      ? 'No batch size, recompute, LoRA or four bits would make it fit: take a smaller model or a shorter maxLength, or a machine with more memory.'
      : `What would fit: ${fitting.map((way) => `${describe(way, run.spec)} (${inGigabytes(way.peakBytes)})`).join('; ')}.`,
  );
}

type Fitting = Way & { readonly peakBytes: number };

/** Each way alone; where none is enough, the least that all of them together leave. */
async function findFitting(run: PreparedRun, processBytes: number, room: number): Promise<readonly Fitting[]> {
  const { spec } = run;
  const { batchSize, recompute, optimizer } = spec.hyper;
  const halves: Way[] = [];
  for (let rows = batchSize >> 1; rows >= 1; rows >>= 1) halves.push({ batchSize: rows });
  const less: Way = recompute ? {} : { recompute: true };
  const methods = methodsOf(run).map((method): Way => ({ method }));
  const fits = async (way: Way): Promise<readonly Fitting[]> => {
    const peakBytes = processBytes + (await bytesOfWay(run, way));
    return peakBytes <= room ? [{ ...way, peakBytes }] : [];
  };
  const firstOf = async (ways: readonly Way[]): Promise<readonly Fitting[]> => {
    for (const way of ways) {
      const found = await fits(way);
      if (found.length > 0) return found;
    }
    return [];
  };
  const alone = [
    ...(await firstOf(halves)),
    ...(recompute ? [] : await fits(less)),
    ...(await firstOf(methods)),
    ...(optimizer === 'adamw' && spec.method === 'full' ? await fits({ optimizer: 'adafactor' }) : []),
  ];
  if (alone.length > 0) return alone;
  const smallest: Way = { ...less, ...(batchSize > 1 ? { batchSize: 1 } : {}) };
  return firstOf([smallest, ...methods.map((way) => ({ ...way, ...smallest }))]);
}

/** The methods that need less than the run's own: a fresh base has nothing for an adapter to adapt. */
function methodsOf({ spec, base }: PreparedRun): readonly ('lora' | 'qlora')[] {
  if (base.fresh || base.model.loraTargets.length === 0) return [];
  const isText = base.model.modality === 'text';
  if (spec.method === 'full') return isText ? ['lora', 'qlora'] : ['lora'];
  return spec.method === 'lora' && isText ? ['qlora'] : [];
}

/** What the run would add to its process if it were changed so. */
async function bytesOfWay(run: PreparedRun, { batchSize, recompute, method, optimizer }: Way): Promise<number> {
  const { hyper } = run.spec;
  const rows = batchSize ?? hyper.batchSize;
  const changed: Hyper = {
    ...hyper,
    batchSize: rows,
    accumulate: hyper.accumulate * Math.ceil(hyper.batchSize / rows),
    recompute: recompute ?? hyper.recompute,
    optimizer: optimizer ?? hyper.optimizer,
  };
  const parameters =
    method === undefined || usesAdapters(run.spec.method)
      ? run.parameters
      : await prepareParameters(run.base, run.parameters.head, { method: 'lora', hyper: changed });
  const { longest } = await typicalBatches(run, rows);
  const added = addedBytes(reckon(run, parameters, changed, longest));
  const saved = method === 'qlora' ? savedByFourBit(run, parameters) : 0;
  // Weights that this run has loaded to train would stay in their file.
  const loaded = parameters === run.parameters ? 0 : 4 * sizeOf(run.parameters.trainable);
  return added - loaded - saved;
}

/** Four bits a number and a step for each block, instead of 32 bits; the largest matrix is unpacked while it is used. */
function savedByFourBit({ base }: PreparedRun, { frozen }: Parameters): number {
  const counts = base.model.loraTargets.map(({ name }) => elementCount(frozen.get(`${name}.weight`)?.shape ?? [0]));
  const all = counts.reduce((sum, count) => sum + count, 0);
  return all * (4 - 0.5 - 4 / four_bit_block_size) - 2 * 4 * Math.max(0, ...counts);
}

function describe({ batchSize, recompute, method, optimizer }: Way, { task, hyper }: RunSpec): string {
  // A contrast is within a batch: gathering several does not make it a larger one.
  const effect = task === 'image-text' ? 'which compares each picture with fewer captions' : 'which learns the same';
  const words = [
    ...(method === undefined ? [] : [method === 'qlora' ? 'the method qlora, four bits a weight' : 'the method lora']),
    ...(batchSize === undefined
      ? []
      : [
          `batchSize ${batchSize} with accumulate ${hyper.accumulate * Math.ceil(hyper.batchSize / batchSize)}, ${effect}`,
        ]),
    ...(recompute ? ['recompute true'] : []),
    ...(optimizer === undefined ? [] : [`the optimizer ${optimizer}`]),
  ];
  return words.join(' and ');
}

const inGigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
