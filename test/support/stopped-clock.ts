// Time that passes only when a test says so: expiries, retries and schedules of days run in moments, and always alike.

export interface Clock {
  readonly now: () => Date;
  /** Calls back once after a delay. @returns what takes it back. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
}

export const realClock: Clock = {
  now: () => new Date(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface StoppedClock extends Clock {
  /** Lets time pass; what falls due on the way is called at its moment, in order. */
  advance(ms: number): Promise<void>;
  /** Lets time jump, as on a machine that slept: what fell due meanwhile is called now, each once. */
  leap(ms: number): Promise<void>;
}

/** Sockets on this machine need a moment of real time to carry what a callback sent. */
const settleMs = 10;
const settle = () => new Promise((resolve) => setTimeout(resolve, settleMs));

export function createStoppedClock(start = new Date('2026-03-02T06:30:00Z')): StoppedClock {
  let nowMs = start.getTime();
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();

  function takeNext(endMs: number) {
    const [next] = [...timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
    if (next !== undefined) timers.delete(next);
    return next;
  }

  return {
    now: () => new Date(nowMs),
    after(delayMs, callback) {
      const timer = { atMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const endMs = nowMs + ms;
      await settle();
      for (let next = takeNext(endMs); next !== undefined; next = takeNext(endMs)) {
        nowMs = Math.max(nowMs, next.atMs);
        next.callback();
        await settle();
      }
      nowMs = endMs;
      await settle();
    },
    async leap(ms) {
      await settle();
      nowMs += ms;
      const due = [...timers].filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs);
      for (const timer of due) {
        if (!timers.delete(timer)) continue;
        timer.callback();
        await settle();
      }
    },
  };
}
