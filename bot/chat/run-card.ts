// A training run as one message: how far it is, how it does, what came of it, and what can be done with it now.
import type { Advice, Metrics, ModelExport, Picture, Run, RunStatus } from '../../engine/index.ts';
import { code, plain, shorten } from './escape.ts';
import type { Block, Button, ProgressStep, Reply } from './message.ts';
import { metricsInWords, metricsTables, percent } from './metrics-words.ts';
import { button, buttons, text } from './reply.ts';
import { taskWords } from './task-words.ts';

/** What a card shows beyond the run's row. */
export interface CardParts {
  readonly loss: Illustration | undefined;
  readonly confusion: Illustration | undefined;
  /** The files of the saved model. */
  readonly files: readonly { readonly path: string; readonly name: string; readonly bytes: number }[];
  readonly advice?: Advice | undefined;
  readonly exported?: ModelExport | undefined;
}
type Illustration = Picture & { readonly alt: string };

/** The slot that makes all cards of a run one message in a place. */
export const cardSlot = (runId: string) => `run:${runId}`;

export function runCard(run: Run, parts: CardParts): Reply {
  const blocks = [
    text(`**${plain(run.name)}** · ${describeSpec(run)}`),
    ...statusBlocks(run),
    ...(parts.loss === undefined ? [] : [illustrate(parts.loss)]),
    ...(parts.advice === undefined ? [] : adviceBlocks(parts.advice)),
    ...(run.result === undefined ? [] : resultBlocks(run.result, parts)),
    ...(parts.exported === undefined ? [] : exportBlocks(parts.exported)),
    buttons(...actions(run, parts)),
  ];
  return {
    slot: cardSlot(run.id),
    audience: 'everyone',
    blocks: blocks.filter((block) => block.kind !== 'buttons' || block.buttons.length > 0),
  };
}

const methods = { full: 'full fine-tuning', lora: 'LoRA', qlora: 'QLoRA', head: 'a new head' } as const;

export function methodInWords({ method, hyper }: Run['spec']): string {
  const adapts = method === 'lora' || method === 'qlora';
  return adapts ? `${methods[method]} of rank ${hyper.loraRank}` : methods[method];
}

function describeSpec({ spec, datasetName }: Run): string {
  return `${taskWords[spec.task].wish}: ${methodInWords(spec)} of ${code(spec.model)} on *${plain(datasetName, 80)}*`;
}

export const statusWords: { readonly [S in RunStatus]: string } = {
  queued: 'waiting',
  running: 'running',
  stopping: 'stopping',
  stopped: 'stopped',
  interrupted: 'interrupted',
  failed: 'failed',
  done: 'done',
};

/** What the status means for the person, in a sentence; undefined where the progress bar says it all. */
const statusSentence: { readonly [S in RunStatus]: (run: Run) => string | undefined } = {
  queued: () => 'Waiting for its turn.',
  running: (run) => (run.start === undefined ? 'Reading the data and building the model.' : undefined),
  stopping: () => 'Stopping: it saves a checkpoint first.',
  stopped: (run) => `Stopped${atStep(run)}. Its checkpoint is kept: Resume goes on from there.`,
  interrupted: (run) =>
    `Interrupted${atStep(run)}: the program that trained it ended. Resume goes on from its checkpoint.`,
  failed: (run) =>
    `**It failed${atStep(run)}: ${plain(run.error ?? 'no reason was given')}**${run.hint === undefined ? '' : `\n\n${plain(run.hint)}`}`,
  done: (run) => `Done in ${inWords(run.result?.seconds ?? 0)}.`,
};

function atStep({ progress }: Run): string {
  return progress === undefined ? '' : ` at step ${progress.step}`;
}

function statusBlocks(run: Run): readonly Block[] {
  const sentence = statusSentence[run.status](run);
  const blocks: Block[] = sentence === undefined ? [] : [text(sentence)];
  if (run.start !== undefined && run.status !== 'done') blocks.push(progressOf(run, run.start));
  if (run.metrics !== undefined && run.result === undefined) {
    blocks.push(text(`Held-out so far: ${metricsInWords(run.metrics, 'soFar')}.`));
  }
  return [...blocks, ...(run.start?.warnings ?? []).map((warning) => text(`Note: ${plain(warning)}`))];
}

function progressOf(run: Run, start: NonNullable<Run['start']>): Block {
  const { step, epoch } = run.progress ?? { step: start.step, epoch: 1 };
  const details = run.progress && [
    `loss ${run.progress.loss.toFixed(3)}`,
    `${rate(run.progress.examplesPerSecond)} examples/s`,
    ...(run.status === 'running' ? [`${inWords(run.progress.secondsLeft)} left`] : []),
  ];
  return {
    kind: 'progress',
    label: `step ${step} of ${start.totalSteps} · epoch ${epoch} of ${start.epochs}`,
    fraction: start.totalSteps === 0 ? 0 : Math.min(1, step / start.totalSteps),
    detail:
      details?.join(' · ') ??
      `${start.parameters.toLocaleString('en')} parameters on ${start.device}${start.deviceReason === undefined ? '' : ` (${start.deviceReason})`}`,
    steps: stepsOf(run, start, step >= start.totalSteps),
  };
}

function stepsOf({ status }: Run, start: NonNullable<Run['start']>, trained: boolean): readonly ProgressStep[] {
  const going = status === 'failed' ? 'failed' : status === 'running' || status === 'stopping' ? 'running' : 'waiting';
  const whole = (count: number) => count.toLocaleString('en');
  return [
    {
      label: `Read the data: ${whole(start.trainExamples)} to learn from, ${whole(start.evalExamples)} held out`,
      state: 'done',
    },
    { label: 'Train', state: trained ? 'done' : going },
    { label: 'Measure on what was held out, and save', state: trained ? going : 'waiting' },
  ];
}

const rate = (perSecond: number) =>
  perSecond >= 10 ? Math.round(perSecond).toLocaleString('en') : perSecond.toFixed(1);

function resultBlocks({ metrics, samples }: NonNullable<Run['result']>, parts: CardParts): readonly Block[] {
  return [
    text(metricsInWords(metrics, 'result')),
    ...metricsTables(metrics),
    ...(parts.confusion === undefined ? [] : [illustrate(parts.confusion)]),
    ...(samples.length === 0 ? [] : [sampleTable(metrics.kind, samples)]),
    ...parts.files.map((file): Block => ({ kind: 'file', ...file })),
  ];
}

function adviceBlocks({ words, source }: Advice): readonly Block[] {
  return [text(plain(words, 600)), ...(source === undefined ? [] : [{ kind: 'sources', sources: [source] } as const])];
}

/** The file, and how far its answers are from the trained model's. */
export function exportBlocks({ path, name, bytes, parts }: ModelExport): readonly Block[] {
  const differences = parts.map(
    ({ name, relativeDifference }) =>
      `${code(name)} answers ${relativeDifference === 0 ? 'exactly like the trained model' : `like the trained model to within ${percentOf(relativeDifference)}`}`,
  );
  return [
    text(`**For Transformers.js.** Unpack it and give the folder to ${code('pipeline()')}. ${differences.join('; ')}.`),
    { kind: 'file', path, name, bytes },
  ];
}

/** `0.00012 %`: small shares need their digits. */
const percentOf = (share: number) => `${Number((share * 100).toPrecision(2))} %`;

const shownSamples = 5;

/** Where there are classes: whether each was right, and how sure the model was. */
function sampleTable(kind: Metrics['kind'], samples: NonNullable<Run['result']>['samples']): Block {
  const judged = kind === 'classification';
  const sure = samples.some(({ confidence }) => confidence !== undefined);
  const line = (words: string) => shorten(words.replace(/\s+/g, ' ').trim(), 90);
  return {
    kind: 'table',
    caption: 'Held-out examples',
    columns: [
      ...(judged ? [{ label: '', align: 'left' } as const] : []),
      { label: 'Example', align: 'left' },
      { label: 'Actual', align: 'left' },
      { label: 'Predicted', align: 'left' },
      ...(sure ? [{ label: 'Sure', align: 'right' } as const] : []),
    ],
    rows: samples
      .slice(0, shownSamples)
      .map(({ text, actual, predicted, confidence }) => [
        ...(judged ? [actual === predicted ? '✓' : '✗'] : []),
        line(text),
        line(actual),
        line(predicted),
        ...(sure ? [confidence === undefined ? '–' : percent(confidence)] : []),
      ]),
  };
}

function illustrate({ id, width, height, alt }: Illustration): Block {
  return { kind: 'picture', pictureId: id, width, height, alt };
}

function actions(run: Run, { exported }: CardParts): readonly Button[] {
  const act = (action: string) => ({ command: 'runs', args: { action, run: run.name } });
  switch (run.status) {
    case 'queued':
    case 'running':
      return [button('Stop', act('stop'), 'danger')];
    case 'stopping':
      return [{ ...button('Stop', act('stop'), 'danger'), disabled: true }];
    case 'stopped':
    case 'interrupted':
    case 'failed':
      return [button('Resume', act('resume'), 'primary')];
    case 'done':
      return [
        button('Try it', { command: 'try', args: { run: run.name } }, 'primary'),
        ...(exported === undefined ? [button('Export for Transformers.js', act('export'))] : []),
      ];
  }
}

/** `75` → `1 min 15 s`. */
export function inWords(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
