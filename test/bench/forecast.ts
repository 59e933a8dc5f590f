// `npm run bench -- forecast [case…]`: what the forecast says of memory and of time per step, and what happened, for each of a
// spread of real shapes, every one in a process of its own. Time is CPU time over cores on a busy machine: add `--cpu`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { withLargePages } from '../../engine/graph/large-pages.ts';
import { cases } from './forecast/cases.ts';

const outcome = z.object({
  predicted: z.object({ bytes: z.number(), seconds: z.number() }),
  happened: z.object({ bytes: z.number(), seconds: z.number() }),
});
/** What a forecast is good for: a run refused or begun on its word. */
const allowed = 0.25;

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const child = fileURLToPath(new URL('./forecast/one.ts', import.meta.url));
const percent = (error: number) => `${error > 0 ? '+' : ''}${(100 * error).toFixed(0)} %`;
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;

const errors: { readonly id: string; readonly memory: number; readonly time: number }[] = [];
if (!flags.includes('--json'))
  console.log(
    `| work | memory predicted | happened | error | s a step predicted | happened | error |\n|---|---|---|---|---|---|---|`,
  );
for (const [id, { name, method }] of Object.entries(cases)) {
  if (asked.length > 0 && !asked.includes(id)) continue;
  const { stdout, status } = spawnSync(process.execPath, ['--import', 'tsx', child, id, ...flags], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    // As a run's process is started.
    env: method === 'full' ? withLargePages(process.env) : process.env,
  });
  if (status !== 0) throw new Error(`${id} ended with ${status}`);
  const { predicted, happened } = outcome.parse(JSON.parse(stdout));
  const memory = predicted.bytes / happened.bytes - 1;
  const time = predicted.seconds / happened.seconds - 1;
  errors.push({ id, memory, time });
  if (flags.includes('--json')) continue;
  console.log(
    `| ${name} | ${gigabytes(predicted.bytes)} | ${gigabytes(happened.bytes)} | ${percent(memory)} | ${predicted.seconds.toFixed(2)} | ${happened.seconds.toFixed(2)} | ${percent(time)} |`,
  );
}
const within = (key: 'memory' | 'time') => errors.filter((one) => Math.abs(one[key]) <= allowed).length;
if (flags.includes('--json')) console.log(JSON.stringify(errors));
else
  console.log(
    `within ±${100 * allowed} %: memory ${within('memory')} of ${errors.length}, time ${within('time')} of ${errors.length}`,
  );
