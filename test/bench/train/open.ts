// A workload's network on our side, ready for its first step.
import { openWeights } from '../../../engine/models/base.ts';
import { createModel } from '../../../engine/models/families.ts';
import { classObjective, tokenObjective } from '../../../engine/tuning/losses.ts';
import { createNetwork } from '../../../engine/tuning/network.ts';
import { prepareParameters } from '../../../engine/tuning/parameters.ts';
import { makeBatch, makeCheckpoint } from './setup.ts';
import { type Workload, workloads } from './workloads.ts';

/** What of a workload is changed for one measurement. */
export type Changes = Partial<Pick<Workload, 'rows' | 'length' | 'config'>> & {
  readonly method?: Workload['method'] | 'head';
};

export async function openOurs(id: string, threads: number, changes: Changes = {}) {
  const known = workloads[id];
  if (!known) throw new Error(`no workload ${id}; there are ${Object.keys(workloads).join(', ')}`);
  const { method = known.method, ...others } = changes;
  const workload: Workload = { ...known, ...others };
  const model = createModel(workload.config, id);
  const folder = await makeCheckpoint(model, workload);
  const base = { model, fresh: false, weights: await openWeights(folder, model) };
  const { head, loraRank } = workload;
  const hyper = { seed: 1, loraRank, loraAlpha: 2 * loraRank };
  const parameters = await prepareParameters(base, head, { method, hyper });
  const objective = head.kind === 'causal-lm' ? tokenObjective(0) : classObjective;
  // As a run whose batches are all of one length.
  const network = createNetwork(parameters, objective, { device: 'cpu', threads, packs: true });
  return { network, parameters, batch: makeBatch(model, workload) };
}
