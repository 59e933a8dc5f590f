// `finetutor train`: one run in this process, no database: a spec in, events out.
import { readFile } from 'node:fs/promises';
import { loadTraining, parseRunSpec, type RunEvent, UserError } from '../../engine/index.ts';
import { metricsInWords } from '../chat/metrics-words.ts';
import { inWords } from '../chat/run-card.ts';
import { processEnvironment, readConfig } from '../config.ts';
import { printJson, printWords } from './print.ts';

/** What a shell reports for a program ended by Ctrl-C. */
const stoppedExitCode = 130;

export async function trainSpec(
  path: string,
  { events, resume }: { events?: boolean; resume?: boolean },
): Promise<void> {
  const print = events ? printJson : (event: RunEvent) => printWords(describe(event));
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    const spec = parseRunSpec(await readSpec(path));
    const { train } = await loadTraining();
    const { hub } = readConfig(processEnvironment());
    const options = { signal: stopping.signal, resume: resume ?? false, now: Date.now, hub };
    for await (const event of train(spec, options)) {
      print(event);
      if (event.type === 'stopped') process.exitCode = stoppedExitCode;
      if (event.type === 'error') process.exitCode = 1;
    }
  } catch (error) {
    process.exitCode = 1;
    const known = error instanceof UserError;
    const message = error instanceof Error ? error.message : String(error);
    print({ type: 'error', message, ...(known ? { hint: error.hint } : {}) });
    if (!known) console.error(error);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

async function readSpec(path: string): Promise<unknown> {
  let written: string;
  try {
    written = await readFile(path, 'utf8');
  } catch (error) {
    throw new UserError(`The spec ${path} can't be read.`, 'Give the path of a JSON file.', { cause: error });
  }
  try {
    return JSON.parse(written);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`The spec ${path} is not JSON: ${reason}.`, 'Correct it; the README shows a whole one.', {
      cause: error,
    });
  }
}

function describe<T extends RunEvent['type']>(event: Extract<RunEvent, { type: T }>): string {
  return inLine[event.type as T](event);
}

const inLine: { readonly [T in RunEvent['type']]: (event: Extract<RunEvent, { type: T }>) => string } = {
  start: ({
    totalSteps,
    trainExamples,
    evalExamples,
    labels,
    parameters,
    trainableParameters,
    device,
    deviceReason,
    forecast,
    warnings,
  }) =>
    [
      `${trainExamples} examples to learn from, ${evalExamples} held out${labels.length === 0 ? '' : `, ${labels.length} labels`}; ` +
        `${trainableParameters.toLocaleString('en')} of ${parameters.toLocaleString('en')} parameters learn, ${totalSteps} steps on ${device}${deviceReason === undefined ? '' : ` (${deviceReason})`}${forecast === undefined ? '' : `; about ${(forecast.peakBytes / 2 ** 30).toFixed(1)} GiB and ${forecast.secondsPerStep.toFixed(2)} s a step`}`,
      ...warnings.map((warning) => `note: ${warning}`),
    ].join('\n'),
  step: ({ step, epoch, loss, examplesPerSecond, secondsLeft }) =>
    `step ${step}, epoch ${epoch}: loss ${loss.toFixed(4)}, ${examplesPerSecond.toFixed(0)} examples/s, ${inWords(secondsLeft)} left`,
  eval: ({ step, metrics }) =>
    `step ${step}: held-out loss ${metrics.loss.toFixed(4)}, ${metricsInWords(metrics, 'soFar')}`,
  checkpoint: ({ step }) => `checkpoint at step ${step}`,
  stopped: ({ step }) => `stopped at step ${step}; --resume goes on from there`,
  done: ({ artifact, metrics, seconds }) =>
    `done in ${inWords(seconds)}: ${metricsInWords(metrics, 'soFar')}, saved in ${artifact}`,
  error: ({ message, hint }) => [message, hint].filter(Boolean).join('\n'),
};
