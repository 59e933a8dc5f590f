// `finetutor dataset check`: the checks of an upload, without keeping anything.
import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import { inspectDataset, UserError } from '../../engine/index.ts';
import { printJson, printWords } from './print.ts';

interface Options {
  readonly json?: boolean;
  readonly textColumn?: string;
  readonly labelColumn?: string;
}

export async function checkDataset(file: string, { json, textColumn, labelColumn }: Options): Promise<void> {
  const columns = {
    ...(textColumn === undefined ? {} : { text: textColumn }),
    ...(labelColumn === undefined ? {} : { label: labelColumn }),
  };
  try {
    await access(file).catch((error: unknown) => {
      throw new UserError(`There is no file ${file} that can be read.`, 'Give the path of a dataset.', {
        cause: error,
      });
    });
    const report = await inspectDataset(file, basename(file), columns);
    if (json) printJson({ ok: true, ...report });
    else printWords(inWords(basename(file), report));
  } catch (error) {
    if (!json || !(error instanceof UserError)) throw error;
    printJson({ ok: false, error: error.message, hint: error.hint });
    process.exitCode = 1;
  }
}

function inWords(name: string, report: Awaited<ReturnType<typeof inspectDataset>>): string {
  const { rows, labels, textColumn, labelColumn, warnings, skipped, skippedCount } = report;
  return [
    `${name}: ${rows} examples, text from "${textColumn}", label from "${labelColumn}"`,
    ...labels.map(({ label, count }) => `  ${String(count).padStart(6)}  ${label}`),
    ...warnings.map((warning) => `note: ${warning}`),
    ...skipped.map(({ line, reason }) => `line ${line} left out: ${reason}`),
    ...(skippedCount > skipped.length ? [`and ${skippedCount - skipped.length} more lines left out`] : []),
  ].join('\n');
}
