// What has been sent and not yet answered: shown as "Working…", and the button or form that sent it waits with it.
import type { Submission } from '../wire.ts';
import { part } from './dom.ts';
import { Refused, submit } from './send.ts';

export interface Work {
  /** Sends, and marks `origin` busy until the first reply. @throws Refused when the server says no. */
  send(submission: Submission, origin: HTMLElement | undefined): Promise<void>;
  settled(key: string): void;
  /** After a reconnect: everything taken in that is not among `keys` has been answered. */
  stillWorking(keys: readonly string[]): void;
  /** Whether this page sent `key` and waits for its first reply or has just had it. */
  sentHere(key: string): boolean;
  say(problem: unknown): void;
}

export function createWork(): Work {
  const indicator = part('working', HTMLElement);
  const notice = part('notice', HTMLElement);
  const open = new Map<string, { origin: HTMLElement | undefined; taken: boolean }>();
  const sent = new Set<string>();

  const show = () => {
    indicator.hidden = open.size === 0;
  };
  function settled(key: string): void {
    const one = open.get(key);
    open.delete(key);
    one?.origin?.removeAttribute('aria-busy');
    show();
  }

  return {
    async send(submission, origin) {
      const { key } = submission;
      if (notice.dataset.kind === 'problem') notice.hidden = true;
      open.set(key, { origin, taken: false });
      sent.add(key);
      origin?.setAttribute('aria-busy', 'true');
      show();
      try {
        await submit(submission);
        const one = open.get(key);
        if (one !== undefined) one.taken = true;
      } catch (error) {
        settled(key);
        throw error;
      }
    },
    settled,
    stillWorking(keys) {
      for (const [key, { taken }] of open) if (taken && !keys.includes(key)) settled(key);
    },
    sentHere: (key) => sent.has(key),
    say(problem) {
      notice.textContent =
        problem instanceof Refused
          ? `${problem.message} ${problem.hint}`
          : 'Something went wrong on this page. Reload it and try again.';
      notice.dataset.kind = 'problem';
      notice.hidden = false;
      if (!(problem instanceof Refused)) console.error(problem);
    },
  };
}
