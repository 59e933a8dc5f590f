// `finetutor export`: a trained artifact for use elsewhere.
import { loadExport, UserError } from '../../engine/index.ts';
import { processEnvironment, readConfig } from '../config.ts';
import { printJson, printWords } from './print.ts';

const list = (text: string) => text.split(',').map((part) => part.trim());

export async function exportModel(
  artifact: string,
  out: string,
  { to, dtype, json }: { to: string; dtype: string; json?: boolean },
): Promise<void> {
  const { exportArtifact, export_formats, export_dtypes } = await loadExport();
  const format = export_formats.find((known) => known === to);
  if (format === undefined) {
    throw new UserError(`There is no format ${JSON.stringify(to)}.`, `Use ${export_formats.join(' or ')}.`);
  }
  const dtypes = list(dtype).map((name) => {
    const known = export_dtypes.find((one) => one === name);
    if (known === undefined) {
      throw new UserError(`There is no number format ${JSON.stringify(name)}.`, `Use ${export_dtypes.join(', ')}.`);
    }
    return known;
  });
  const { hub } = readConfig(processEnvironment());
  const files = await exportArtifact(artifact, out, { format, dtypes, hub });
  if (json) {
    printJson({ folder: out, format, files });
    return;
  }
  for (const { path, bytes, parity } of files) {
    printWords(
      `${path}: ${(bytes / 1e6).toFixed(1)} MB; its answers differ from the trained model's by at most ${parity.largestDifference.toPrecision(2)} (${(100 * parity.relativeDifference).toPrecision(2)} %)`,
    );
  }
  printWords(
    format === 'huggingface'
      ? `${out} loads with from_pretrained, adapters merged.`
      : `${out} runs in Transformers.js: pipeline(task, ${JSON.stringify(out)}).`,
  );
}
