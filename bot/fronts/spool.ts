// Events in a file before they are acknowledged, synced many at a time: neither a kill nor a power cut loses one. Each process
// writes a file of its own; one whose process says no more that it lives is taken over by another.
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const eventSchema = z.object({
  workspaceId: z.string(),
  key: z.string(),
  receivedAt: z.iso.datetime().transform((text) => new Date(text)),
  payload: z.unknown(),
});
type SpooledEvent = z.output<typeof eventSchema>;
type EventKey = Pick<SpooledEvent, 'workspaceId' | 'key'>;

/** A line of a file: an event, or that one needs no more work. */
const lineSchema = z.union([
  z.object({ event: eventSchema }),
  z.object({ done: z.object({ workspaceId: z.string(), key: z.string() }) }),
]);

export interface LeftEvents {
  /** Oldest first. */
  readonly events: readonly SpooledEvent[];
  /** They are kept elsewhere now. */
  forget(): void;
}

export interface Spool {
  /**
   * A kill loses nothing once this returns; a power cut loses nothing once the promise resolves. Those that arrive while the
   * disk is busy share its next turn. @throws Error of the file system; rejects with one.
   */
  put(event: SpooledEvent): Promise<void>;
  remove(event: EventKey): void;
  /** To be called every few seconds: says that this process lives. */
  live(): void;
  /** What processes left that live no more; while this process works on them they are no other's. */
  takeLeft(): readonly LeftEvents[];
  /** Resolves once the file is closed; an empty one is removed. */
  close(): Promise<void>;
}

export interface SpoolOptions {
  readonly folder: string;
  /** No other process writes here: every file but our own was left. */
  readonly alone: boolean;
  /** Written anew when it is longer than this, and most of it is done with. */
  readonly longestBytes?: number;
  /** Resolves once what was written to a file is on the disk. */
  readonly syncData?: (descriptor: number) => Promise<void>;
}

/** A process that has not said for so long that it lives does not. */
const leaseMs = 30_000;
const standardLongestBytes = 8 * 1024 ** 2;
const ending = '.events';

interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
  bytes: number;
}

export function createSpool(options: SpoolOptions): Spool {
  const { folder, alone, longestBytes = standardLongestBytes, syncData = promisify(fdatasync) } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const nameOf = ({ workspaceId, key }: EventKey) => JSON.stringify([workspaceId, key]);
  const newPath = () => join(folder, `${randomUUID()}${ending}`);
  /** The lines of what is under way, to be written again. */
  const underWay = new Map<string, string>();
  const taken = new Set<string>();
  let file: OpenFile | undefined;
  const sync = createGroupSync(async () => {
    if (file !== undefined) await syncData(file.descriptor);
  });

  /** The folder is synced too: without its entry a file is lost. */
  function open(): OpenFile {
    const path = newPath();
    const opened = { path, descriptor: openSync(path, 'wx', 0o600), bytes: 0 };
    syncFolder(folder);
    return opened;
  }

  /** The line break stands before: one that was cut short does not spoil the next. */
  function write(to: OpenFile, line: string) {
    to.bytes += writeSync(to.descriptor, `\n${line}`, to.bytes);
  }

  /** A new file with what is under way only, in place of the old one. */
  function writeAnew(old: OpenFile) {
    const next = open();
    for (const line of underWay.values()) write(next, line);
    fsyncSync(next.descriptor);
    file = next;
    rmSync(old.path, { force: true });
    void sync.idle().then(() => closeSync(old.descriptor));
  }

  const bytesUnderWay = () => [...underWay.values()].reduce((sum, line) => sum + Buffer.byteLength(line), 0);

  function remove(event: EventKey) {
    if (!underWay.delete(nameOf(event)) || file === undefined) return;
    if (underWay.size === 0) {
      ftruncateSync(file.descriptor, 0);
      file.bytes = 0;
    } else write(file, JSON.stringify({ done: { workspaceId: event.workspaceId, key: event.key } }));
  }

  // The times of files are the machine's own, so it is asked for its time.
  const touch = (path: string) => utimesSync(path, Date.now() / 1000, Date.now() / 1000);

  function isLeft(path: string): boolean {
    if (path === file?.path || taken.has(path)) return false;
    return alone || Date.now() - statSync(path).mtimeMs > leaseMs;
  }

  /** @returns undefined where another process was quicker. */
  function take(path: string): LeftEvents | undefined {
    try {
      if (!isLeft(path)) return undefined;
      touch(path);
      const ours = newPath();
      renameSync(path, ours);
      taken.add(ours);
      const forget = () => {
        rmSync(ours, { force: true });
        taken.delete(ours);
      };
      return { events: readLines(readFileSync(ours, 'utf8'), nameOf), forget };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  return {
    put(event) {
      const line = JSON.stringify({ event });
      underWay.set(nameOf(event), line);
      file ??= open();
      write(file, line);
      if (file.bytes > longestBytes && bytesUnderWay() * 2 < file.bytes) writeAnew(file);
      return sync();
    },
    remove,
    live() {
      for (const path of taken) touch(path);
      if (file === undefined) return;
      try {
        touch(file.path);
      } catch (error) {
        if (!isMissing(error)) throw error;
        // Another process thought that this one had ended (a laptop that slept): from here on a file of its own again.
        writeAnew(file);
      }
    },
    takeLeft: () =>
      readdirSync(folder)
        .filter((name) => name.endsWith(ending))
        .flatMap((name) => take(join(folder, name)) ?? []),
    async close() {
      await sync.idle();
      if (file === undefined) return;
      closeSync(file.descriptor);
      if (underWay.size === 0) rmSync(file.path, { force: true });
      file = undefined;
    },
  };
}

interface GroupSync {
  (): Promise<void>;
  /** Resolves once nobody waits for a sync. */
  idle(): Promise<void>;
}

/** One sync at a time; all who ask while one is under way share the next, since theirs may have come too late for it. */
function createGroupSync(run: () => Promise<void>): GroupSync {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  async function runNext() {
    await current?.catch(() => undefined);
    current = next;
    next = undefined;
    try {
      await run();
    } finally {
      if (next === undefined) current = undefined;
    }
  }

  function sync(): Promise<void> {
    next ??= runNext();
    return next;
  }
  async function idle() {
    for (let last = next ?? current; last !== undefined; last = next ?? current) await last.catch(() => undefined);
  }
  return Object.assign(sync, { idle });
}

/** A line cut short by a kill or a power cut was never acknowledged: it is passed over. */
function readLines(content: string, nameOf: (event: EventKey) => string): readonly SpooledEvent[] {
  const events = new Map<string, SpooledEvent>();
  for (const line of content.split('\n')) {
    const read = lineSchema.safeParse(parseJson(line));
    if (!read.success) continue;
    if ('event' in read.data) events.set(nameOf(read.data.event), read.data.event);
    else events.delete(nameOf(read.data.done));
  }
  return [...events.values()].sort((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime());
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Windows syncs no folders; there the file system keeps its entries itself. */
function syncFolder(path: string) {
  if (process.platform === 'win32') return;
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT';
