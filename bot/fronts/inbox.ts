// Keeps events until they are done, and takes up what a process that ended has left behind. Shared by the fronts whose
// platform sends nothing again once it has been acknowledged. A file has it at once, a row as soon as the database has time.
import type { Engine, KeptEvent } from '../../engine/index.ts';
import type { FrontName } from '../chat/message.ts';
import { createSpool, type LeftEvents } from './spool.ts';
import { type After, within } from './within.ts';

interface Keeping {
  /** Resolves once it may be acknowledged: it is on the disk, or the disk is too slow to be waited for. Never rejects. */
  readonly written: Promise<void>;
  /**
   * False when the event is somebody else's, or was taken in before; true too when the database says nothing for a while, or
   * fails: whoever works on it claims it there.
   */
  readonly ours: Promise<boolean>;
}

export interface FrontInbox {
  /** Keeps an event for this process. */
  keep(event: { readonly workspaceId: string; readonly key: string; readonly payload: unknown }): Keeping;
  /** It needs no more work. Never rejects. */
  done(event: { readonly workspaceId: string; readonly key: string }): Promise<void>;
  /** Takes up what was left behind, now and from then on. */
  start(): void;
  stop(): Promise<void>;
}

export interface FrontInboxOptions {
  readonly engine: Pick<Engine, 'conversations' | 'inbox'>;
  readonly front: FrontName;
  /** Of this process, or of several at one database. */
  readonly folder: string;
  /** Works on an event that another process had kept. */
  readonly redo: (event: KeptEvent) => Promise<void>;
  /** How long work waits to hear whose it is. */
  readonly patienceMs?: number;
  readonly now: () => Date;
  readonly after: After;
  readonly log: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

const standardPatienceMs = 800;
/** A platform gives three seconds for an acknowledgement: a disk that takes longer than this is not waited for. */
const longestSyncMs = 1000;
const lookEveryMs = 10_000;
/** An answer that comes a day late helps nobody. */
const longestWaitMs = 24 * 60 * 60_000;
/** Half answered and older than this, it has been asked again long ago. */
const longestBegunMs = 15 * 60_000;

type EventKey = Parameters<FrontInbox['done']>[0];

export function createFrontInbox(options: FrontInboxOptions): FrontInbox {
  const { engine, front, log, now, after } = options;
  const opened = new Set<string>();
  const spool = createSpool({ folder: options.folder, alone: engine.inbox.alone });
  const nameOf = ({ workspaceId, key }: EventKey) => JSON.stringify([workspaceId, key]);
  /** What this process works on: whether its row is ours. */
  const underWay = new Map<string, Promise<boolean>>();
  const left: LeftEvents[] = [];
  let cancel = () => {};
  let looking: Promise<void> = Promise.resolve();
  let stopped = true;

  async function open(workspaceId: string) {
    if (opened.has(workspaceId)) return;
    await engine.conversations.openWorkspace(workspaceId, workspaceId);
    opened.add(workspaceId);
  }

  async function write(event: Parameters<FrontInbox['keep']>[0]): Promise<boolean> {
    try {
      await open(event.workspaceId);
      const ours = await engine.inbox.keep({ ...event, front });
      if (!ours) forget(event);
      return ours;
    } catch (error) {
      log.error({ err: error, key: event.key }, 'an event could not be kept in the database');
      return true;
    }
  }

  function forget(event: EventKey) {
    underWay.delete(nameOf(event));
    try {
      spool.remove(event);
    } catch (error) {
      log.error({ err: error, key: event.key }, 'that an event is done could not be written down');
    }
    closeWhenDone().catch((error: unknown) => log.error({ err: error }, 'the file of events could not be closed'));
  }

  /** What is under way when the front stops is still done. */
  async function closeWhenDone() {
    if (stopped && underWay.size === 0) await spool.close();
  }

  async function done(event: EventKey) {
    const ours = (await underWay.get(nameOf(event))) ?? true;
    try {
      if (ours) await engine.inbox.done(event);
    } catch (error) {
      log.error({ err: error, key: event.key }, 'an event could not be marked as done');
    } finally {
      forget(event);
    }
  }

  /** What was acknowledged by a process that was killed before the database had it. */
  async function empty() {
    spool.live();
    left.push(...spool.takeLeft());
    for (let one = left[0]; one !== undefined; one = left[0]) {
      for (const event of one.events) {
        await open(event.workspaceId);
        await engine.inbox.leave({ ...event, front });
      }
      one.forget();
      left.shift();
    }
  }

  async function look() {
    try {
      await empty();
      for (const event of await engine.inbox.takeOver(front)) {
        if (stopped) return;
        const waitedMs = now().getTime() - event.receivedAt.getTime();
        const worthIt = waitedMs < (event.begun ? longestBegunMs : longestWaitMs);
        log.info({ key: event.key, begun: event.begun, worthIt }, 'an event another process left behind');
        if (worthIt) await options.redo(event);
        await done(event);
      }
    } catch (error) {
      log.error({ err: error, front }, 'the inbox could not be looked through');
    }
  }

  function lookAgain() {
    if (stopped) return;
    looking = look().then(() => {
      if (!stopped) cancel = after(lookEveryMs, lookAgain);
    });
  }

  async function writeDown(event: Parameters<FrontInbox['keep']>[0]) {
    try {
      await spool.put({ ...event, receivedAt: now() });
    } catch (error) {
      log.error({ err: error, key: event.key }, 'an event could not be written down; a kill would lose it');
    }
  }

  return {
    keep(event) {
      const name = nameOf(event);
      // Sent again while it is being worked on.
      if (underWay.has(name)) return { written: Promise.resolve(), ours: Promise.resolve(false) };
      const written = within(after, longestSyncMs, writeDown(event), undefined);
      const writing = write(event);
      underWay.set(name, writing);
      return { written, ours: within(after, options.patienceMs ?? standardPatienceMs, writing, true) };
    },
    done,
    start() {
      stopped = false;
      lookAgain();
    },
    async stop() {
      stopped = true;
      cancel();
      await looking;
      await closeWhenDone();
    },
  };
}
