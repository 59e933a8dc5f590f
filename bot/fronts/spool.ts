// Events as files, one each, written before they are acknowledged: a process that is killed leaves them to the next start.
// A file takes microseconds where a row takes as long as the database is busy.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const schema = z.object({
  workspaceId: z.string(),
  key: z.string(),
  receivedAt: z.iso.datetime().transform((text) => new Date(text)),
  payload: z.unknown(),
});
type SpooledEvent = z.output<typeof schema>;
type EventKey = Pick<SpooledEvent, 'workspaceId' | 'key'>;

export interface Spool {
  /** Done when it returns. @throws Error of the file system. */
  put(event: SpooledEvent): void;
  remove(event: EventKey): void;
  /** What lies there, oldest first. A file cut short by a kill was never acknowledged: it is thrown away. */
  all(): readonly SpooledEvent[];
}

export function createSpool(folder: string): Spool {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pathOf = ({ workspaceId, key }: EventKey) =>
    join(
      folder,
      `${createHash('sha256')
        .update(JSON.stringify([workspaceId, key]))
        .digest('hex')
        .slice(0, 32)}.json`,
    );

  function read(path: string): SpooledEvent | undefined {
    try {
      return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
      rmSync(path, { force: true });
      return undefined;
    }
  }

  return {
    put: (event) => writeFileSync(pathOf(event), JSON.stringify(event), { mode: 0o600 }),
    remove: (event) => rmSync(pathOf(event), { force: true }),
    all: () =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .flatMap((name) => read(join(folder, name)) ?? [])
        .sort((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime()),
  };
}
