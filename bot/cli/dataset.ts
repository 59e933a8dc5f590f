// `finetutor dataset check`: the checks of an upload, without keeping anything.
import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import { inspectDataset, runSpecSchema, UserError } from '../../engine/index.ts';
import { taskWords } from '../chat/task-words.ts';
import { printJson, printWords } from './print.ts';

interface Options {
  readonly json?: boolean;
  readonly task?: string;
  readonly textColumn?: string;
  readonly labelColumn?: string;
}

export async function checkDataset(path: string, { json, task, textColumn, labelColumn }: Options): Promise<void> {
  try {
    await access(path).catch((error: unknown) => {
      throw new UserError(`There is no file ${path} that can be read.`, 'Give the path of a dataset.', {
        cause: error,
      });
    });
    const report = await inspectDataset(path, basename(path), {
      ...(task === undefined ? {} : { task: readTask(task) }),
      ...(textColumn === undefined ? {} : { text: textColumn }),
      ...(labelColumn === undefined ? {} : { label: labelColumn }),
    });
    if (json) printJson({ ok: true, ...report });
    else printWords(inWords(basename(path), report));
  } catch (error) {
    if (!json || !(error instanceof UserError)) throw error;
    printJson({ ok: false, error: error.message, hint: error.hint });
    process.exitCode = 1;
  }
}

function readTask(name: string) {
  const tasks = runSpecSchema.options.map(({ shape }) => shape.task.value);
  const known = tasks.find((task) => task === name);
  if (known !== undefined) return known;
  throw new UserError(`There is no task ${JSON.stringify(name)}.`, `Use ${tasks.join(', ')}.`);
}

function inWords(name: string, report: Awaited<ReturnType<typeof inspectDataset>>): string {
  const { tasks, labels, numbers, warnings, skipped, skippedCount } = report;
  const { found, teaches } = taskWords[tasks[0]];
  return [
    `${name}: ${found(report)}; ${teaches} (${tasks.join(', ')})`,
    ...(numbers === undefined
      ? []
      : [`from ${numbers.min} to ${numbers.max}, ${Number(numbers.mean.toPrecision(6))} on average`]),
    ...labels.map(({ label, count }) => `  ${String(count).padStart(6)}  ${label}`),
    ...warnings.map((warning) => `note: ${warning}`),
    ...skipped.map(({ line, reason }) => `line ${line} left out: ${reason}`),
    ...(skippedCount > skipped.length ? [`and ${skippedCount - skipped.length} more lines left out`] : []),
  ].join('\n');
}
