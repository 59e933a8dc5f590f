// `finetutor doctor`: exit 0 when everything is in place, 1 when something needs mending.
import { processEnvironment } from '../config.ts';
import { describeDiagnosis, diagnose } from './diagnose.ts';
import { printJson, printWords } from './print.ts';

export async function doctor({ json }: { json?: boolean }): Promise<void> {
  const diagnosis = await diagnose(processEnvironment());
  if (json) printJson(diagnosis);
  else printWords(describeDiagnosis(diagnosis));
  if (!diagnosis.ok) process.exitCode = 1;
}
