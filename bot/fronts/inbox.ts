// Keeps events before they are acknowledged, and takes up what a process that ended has left behind. Shared by the fronts
// whose platform sends nothing again once it has been acknowledged.
import type { Engine, KeptEvent } from '../../engine/index.ts';
import type { FrontName } from '../chat/message.ts';

export interface FrontInbox {
  /**
   * Keeps an event for this process. The database has a moment for it: an acknowledgement never waits longer, nor for a
   * database that fails.
   * @returns false when the event is somebody else's, or was taken in before.
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
  /** Works on an event that another process had kept. */
  readonly redo: (event: KeptEvent) => Promise<void>;
  /** How long an acknowledgement waits for the database at most. */
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

export function createFrontInbox(options: FrontInboxOptions): FrontInbox {
  const { engine, front, log, now, after } = options;
  const opened = new Set<string>();
  let cancel = () => {};
  let looking: Promise<void> = Promise.resolve();
  let stopped = true;

  async function write(event: Parameters<FrontInbox['keep']>[0]): Promise<boolean> {
    if (!opened.has(event.workspaceId)) {
      await engine.conversations.openWorkspace(event.workspaceId, event.workspaceId);
      opened.add(event.workspaceId);
    }
    return engine.inbox.keep({ ...event, front });
  }

  async function done(event: Parameters<FrontInbox['done']>[0]) {
    try {
      await engine.inbox.done(event);
    } catch (error) {
      log.error({ err: error, key: event.key }, 'an event could not be marked as done');
    }
  }

  async function look() {
    try {
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
    async keep(event) {
      let stopWaiting = () => {};
      const enough = new Promise<true>((resolve) => {
        stopWaiting = after(options.patienceMs ?? standardPatienceMs, () => resolve(true));
      });
      const writing = write(event).catch((error: unknown) => {
        log.error({ err: error, key: event.key }, 'an event could not be kept; a restart would lose it');
        return true;
      });
      const mine = await Promise.race([writing, enough]);
      stopWaiting();
      return mine;
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
