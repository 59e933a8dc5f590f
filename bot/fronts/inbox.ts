// Keeps events until they are done, and takes up what a process that ended has left behind. Shared by the fronts whose
// platform sends nothing again once it has been acknowledged. A file is written at once, a row as soon as the database has time.
import type { Engine, KeptEvent } from '../../engine/index.ts';
import type { FrontName } from '../chat/message.ts';
import { createSpool } from './spool.ts';

export interface FrontInbox {
  /**
   * Keeps an event for this process. Once it returns a promise a kill loses nothing: it may be acknowledged.
   * @returns false when the event is somebody else's, or was taken in before; true too when the database says nothing for a
   * while, or fails: whoever works on it claims it there.
   */
  keep(event: { readonly workspaceId: string; readonly key: string; readonly payload: unknown }): Promise<boolean>;
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
  /** Calls back once after a delay. @returns what takes it back. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
  readonly log: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

const standardPatienceMs = 800;
const lookEveryMs = 10_000;
/** An answer that comes a day late helps nobody. */
const longestWaitMs = 24 * 60 * 60_000;
/** Half answered and older than this, it has been asked again long ago. */
const longestBegunMs = 15 * 60_000;

type EventKey = Parameters<FrontInbox['done']>[0];

export function createFrontInbox(options: FrontInboxOptions): FrontInbox {
  const { engine, front, log, now, after } = options;
  const opened = new Set<string>();
  const spool = createSpool(options.folder);
  const nameOf = ({ workspaceId, key }: EventKey) => JSON.stringify([workspaceId, key]);
  /** What this process works on: whether its row is ours. */
  const underWay = new Map<string, Promise<boolean>>();
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
      log.error({ err: error, key: event.key }, 'the file of an event could not be removed');
    }
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
    for (const event of spool.all()) {
      if (underWay.has(nameOf(event))) continue;
      await open(event.workspaceId);
      await engine.inbox.leave({ ...event, front });
      spool.remove(event);
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

  return {
    keep(event) {
      try {
        spool.put({ ...event, receivedAt: now() });
      } catch (error) {
        log.error({ err: error, key: event.key }, 'an event could not be written down; a kill would lose it');
      }
      const writing = write(event);
      underWay.set(nameOf(event), writing);
      return new Promise((resolve) => {
        const stopWaiting = after(options.patienceMs ?? standardPatienceMs, () => resolve(true));
        void writing.then((ours) => {
          stopWaiting();
          resolve(ours);
        });
      });
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
    },
  };
}
