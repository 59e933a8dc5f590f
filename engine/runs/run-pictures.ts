// The pictures of a run, drawn from its events; the chart libraries are loaded with the first one.
import type { Picture, Pictures } from '../charts/pictures.ts';
import type { RunEvent } from './events.ts';
import type { Run } from './runs.ts';

export type RunPicture = Picture & { readonly alt: string };

export function curvesOf(events: readonly RunEvent[]) {
  return {
    train: events.flatMap((event) => (event.type === 'step' ? [{ step: event.step, loss: event.loss }] : [])),
    held: events.flatMap((event) => (event.type === 'eval' ? [{ step: event.step, loss: event.metrics.loss }] : [])),
  };
}

/** Loss on the training examples and on those held out; undefined before the first step. */
export async function drawLoss(
  run: Run,
  events: readonly RunEvent[],
  pictures: Pictures,
): Promise<RunPicture | undefined> {
  const { train, held } = curvesOf(events);
  if (train.length === 0) return undefined;
  const [{ lossChart }, { renderPng }] = await Promise.all([
    import('../charts/loss.ts'),
    import('../charts/render.ts'),
  ]);
  const { svg, alt } = await lossChart({ title: `${run.name} · ${run.datasetName}`, train, held });
  return { ...(await pictures.put((await renderPng(svg)).png)), alt };
}

/** The confusion matrix of the last evaluation; undefined before it. */
export async function drawConfusion(run: Run, pictures: Pictures): Promise<RunPicture | undefined> {
  // Of numbers and texts there is none.
  if (run.metrics?.kind !== 'classification') return undefined;
  const labels = run.metrics.perClass.map(({ label }) => label);
  const [{ confusionChart }, { renderPng }] = await Promise.all([
    import('../charts/confusion.ts'),
    import('../charts/render.ts'),
  ]);
  const { svg, alt } = await confusionChart({
    title: `${run.name} · ${run.datasetName}`,
    labels,
    confusion: run.metrics.confusion,
  });
  return { ...(await pictures.put((await renderPng(svg)).png)), alt };
}
