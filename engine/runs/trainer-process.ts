// Starts a trainer process and keeps the line to it: training blocks its thread and may crash natively, so it lives apart.
import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLargePages } from '../graph/large-pages.ts';
import { type FromTrainer, fromTrainerSchema, type ToTrainer } from './trainer-messages.ts';

export interface TrainerProcess {
  readonly pid: number | undefined;
  send(message: ToTrainer): void;
  kill(): void;
  /** How it ended; never rejects. */
  readonly ended: Promise<TrainerEnd>;
}

export interface TrainerEnd {
  /** `SIGKILL`, `exit code 134`, or why it could not be started. */
  readonly reason: string;
  /** The last lines it wrote to stderr. */
  readonly stderr: string;
}

/** @param wants large pages: steps a tenth quicker, for up to a fifth more memory. */
export type StartTrainer = (
  hear: (message: FromTrainer) => void,
  wants?: { readonly largePages: boolean },
) => TrainerProcess;

const stderrChars = 8_000;

/** @param entry the script to run; ours unless a test brings its own. */
export function createTrainerStarter(entry = fileURLToPath(new URL('./trainer.ts', import.meta.url))): StartTrainer {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return (hear, wants) => {
    // Its own execArgv, whatever ours is (a test runner's, a debugger's): just what TypeScript needs.
    const child = fork(entry, [], {
      execArgv: entry.endsWith('.ts') ? ['--import', tsx] : [],
      env: wants?.largePages ? withLargePages(process.env) : process.env,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr = (stderr + String(chunk)).slice(-stderrChars);
    });
    let misheard: string | undefined;
    child.on('message', (raw) => {
      const message = fromTrainerSchema.safeParse(raw);
      if (message.success) return hear(message.data);
      misheard = `it said something unreadable: ${message.error.message}`;
      child.kill('SIGKILL');
    });
    const ended = new Promise<TrainerEnd>((resolve) => {
      child.once('error', (error) => resolve({ reason: error.message, stderr }));
      // 'close' rather than 'exit': all it said has arrived by then.
      child.once('close', (code, signal) => resolve({ reason: misheard ?? signal ?? `exit code ${code}`, stderr }));
    });
    return {
      pid: child.pid,
      send: (message) => {
        // A process that died meanwhile cannot hear: `ended` tells.
        if (child.connected) child.send(message, () => undefined);
      },
      kill: () => child.kill('SIGKILL'),
      ended,
    };
  };
}
