// Answers with a finished run's artifact, a Hugging Face folder or a PEFT adapter.
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { devices } from '../graph/session.ts';
import type { HubOptions } from '../models/hub-options.ts';
import type { Prediction } from '../runs/prediction.ts';
import type { TaskName } from '../runs/spec.ts';
import { type WritingOptions, writingSchema } from '../runs/writing.ts';
import { loadArtifact } from './load-artifact.ts';
import { createNetwork, type Network } from './network.ts';
import { tasks } from './tasks/index.ts';
import type { Answering, Objective } from './tasks/task.ts';
import { createWriter, type Writer } from './writer.ts';

export interface Predictor {
  readonly task: TaskName;
  readonly labels: readonly string[];
  /** In the order of the inputs: texts, pictures as data:image/…;base64,…, or what to compare as `comparisonSchema` says, in JSON. */
  predict(inputs: readonly string[], writing?: WritingOptions): Promise<Prediction[]>;
  close(): Promise<void>;
}

/** Nothing is learnt here. */
const no_objective: Objective = {
  loss() {
    throw new Error('a finished model is not trained');
  },
};

/** @throws UserError when the folder holds no finished model, one that is damaged, or an unknown device is asked for. */
export async function loadPredictor(
  folder: string,
  { device, hub }: { readonly device: string; readonly hub?: HubOptions | undefined },
): Promise<Predictor> {
  const asked = z.enum(['auto', ...devices]).safeParse(device);
  if (!asked.success) {
    throw new UserError(`There is no device ${JSON.stringify(device)}.`, `Use auto, ${devices.join(', ')}.`);
  }
  const artifact = await loadArtifact(folder, hub);
  const { task, labels } = artifact;
  // A few answers are sooner there on the processor than their weights are on another device.
  const chosen = { device: asked.data === 'auto' ? 'cpu' : asked.data } as const;
  const network = createNetwork(artifact.parameters, no_objective, chosen);
  const answering = refuseDamaged(network, folder);
  let writer: Writer | undefined;
  const openWriter = () => {
    writer ??= createWriter(artifact.parameters, chosen);
    return writer;
  };
  return {
    task,
    labels,
    predict(inputs, writing = writingSchema.parse({})) {
      const how = { writing, openWriter };
      if (artifact.task === 'image-classification')
        return tasks[artifact.task].predict(answering, artifact, inputs, how);
      if (artifact.task === 'image-text') return tasks[artifact.task].predict(answering, artifact, inputs, how);
      return tasks[artifact.task].predict(answering, artifact, inputs, how);
    },
    async close() {
      await writer?.close();
      await network.close();
    },
  };
}

function refuseDamaged(network: Network, folder: string): Answering {
  return {
    measure: network.measure,
    async answer(inputs, positions) {
      const numbers = await network.answer(inputs, positions);
      if (numbers.every(Number.isFinite)) return numbers;
      throw new UserError(`${folder}: the model answers with numbers that are not finite.`, 'Its weights are damaged.');
    },
  };
}
