// Reads a document in a process of its own, with a limit of time and of memory: files come from strangers.
import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { DocumentProblem, type ReadDocument } from './document.ts';

interface GivenPath {
  readonly path: string;
  readonly name: string;
  readonly contentType?: string;
}

export type ReadDocumentAt = (file: GivenPath) => Promise<ReadDocument>;

const told = z.union([
  z.strictObject({
    document: z.strictObject({
      format: z.enum(['markdown', 'text', 'html', 'pdf', 'notebook']),
      title: z.string().optional(),
      pages: z.number().optional(),
      passages: z.array(
        z.strictObject({ headings: z.array(z.string()), page: z.number().optional(), text: z.string() }),
      ),
    }),
  }),
  z.strictObject({
    problem: z.strictObject({ message: z.string(), hint: z.string() }).optional(),
    failure: z.string(),
  }),
]);

const megabytes = 1024;

/** @param timeLimitMs after which reading is given up. */
export function createReadApart({ timeLimitMs = 60_000 } = {}): ReadDocumentAt {
  const entry = fileURLToPath(new URL('./reader.ts', import.meta.url));
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return (file) =>
    new Promise((resolve, reject) => {
      const child = fork(entry, [], {
        execArgv: ['--import', tsx, `--max-old-space-size=${megabytes}`],
        // What the bot knows (tokens, the database) is nothing to a process that opens strangers' files.
        env: { PATH: process.env.PATH ?? '' },
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      });
      const timer = setTimeout(() => child.kill('SIGKILL'), timeLimitMs);
      child.once('message', (raw) => {
        const answer = told.safeParse(raw);
        if (!answer.success) return reject(answer.error);
        if ('document' in answer.data) {
          const { format, title, pages, passages } = answer.data.document;
          return resolve({
            format,
            title,
            pages,
            passages: passages.map(({ headings, page, text }) => ({ headings, page, text })),
          });
        }
        const { problem, failure } = answer.data;
        reject(problem ? new DocumentProblem(problem.message, problem.hint) : new Error(failure));
      });
      child.once('error', reject);
      child.once('close', () => {
        clearTimeout(timer);
        // After an answer this changes nothing.
        reject(
          new DocumentProblem(
            'Reading the file took too long or too much memory.',
            'Send a smaller or simpler file, or its text.',
          ),
        );
      });
      child.send(file);
    });
}
