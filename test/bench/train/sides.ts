// The processes whose steps are compared: one prints a line when it is ready, and one for each step it is asked for.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { withLargePages } from '../../../engine/graph/large-pages.ts';
import type { Changes } from './open.ts';
import { type Workload, workloads } from './workloads.ts';

const python = '/usr/bin/python3';

const stepSchema = z.object({
  ms: z.number(),
  peakRssBytes: z.number(),
  loss: z.number(),
  updateMs: z.number().optional(),
});
export type Step = z.output<typeof stepSchema>;

export interface Side {
  step(): Promise<Step>;
  close(): void;
}

async function startSide(command: string, args: readonly string[], env = process.env): Promise<Side> {
  const child: ChildProcess = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error(`${command} has no pipes`);
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => {
    const line = await lines.next();
    if (line.done) throw new Error(`${command} ${args[0]} ended early (exit code ${child.exitCode})`);
    return JSON.parse(line.value);
  };
  z.object({ ready: z.literal(true) }).parse(await read());
  return {
    async step() {
      stdin.write('step\n');
      return stepSchema.parse(await read());
    },
    close: () => child.kill(),
  };
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const run = (script: string, args: readonly string[]) => ['--import', 'tsx', here(script), ...args];

export const startOurs = (id: string, threads: number, changes: Changes = {}) =>
  // As a run's process is started.
  startSide(
    process.execPath,
    run('./ours.ts', [id, String(threads), JSON.stringify(changes)]),
    workloads[id]?.method === 'full' ? withLargePages(process.env) : process.env,
  );
export const startTorch = (workload: Workload, threads: number) =>
  startSide(python, [here('./torch_side.py'), JSON.stringify({ ...workload, threads })]);

/** Without the reference BLAS of a bare installation a step takes twenty times as long. */
export const hasTorch = () => spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0;

/** Runs a script of ours to its end. @returns the JSON of its last line. */
export function runToEnd(script: string, args: readonly string[]): unknown {
  const { status, stdout } = spawnSync(process.execPath, run(script, args), {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${script} ${args.join(' ')} failed (exit code ${status})`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
