// One serial writer for each message on a platform: the latest state wins, the last one always arrives, writes keep a
// cadence and wait as long as the platform asks.

export interface PostQueueOptions<State> {
  readonly write: (key: string, state: State) => Promise<void>;
  /** Least time from the end of one write of a message to the next one of the same message. */
  readonly cadenceMs: number;
  /** How long to wait before the write is tried again; undefined: it is given up. `attempt` counts from 1. */
  readonly retryAfterMs: (error: unknown, attempt: number) => number | undefined;
  readonly now: () => Date;
  /** Calls back once after a delay. @returns what takes it back. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
}

export interface PostQueue<State> {
  /** Resolves once this state or a newer one of the message stands there. @throws what the last write threw, once given up. */
  put(key: string, state: State): Promise<void>;
  /**
   * Writes what waits for its cadence now; resolves when nothing waits any more. A wait the platform asked for is kept,
   * at most for `patienceMs`: what still waits then is given up.
   */
  drain(patienceMs?: number): Promise<void>;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

interface Slot<State> {
  next: { readonly state: State } | undefined;
  /** Waits for `next`. */
  waiters: Waiter[];
  writing: boolean;
  /** Attempts at the newest state that failed. */
  failures: number;
  notBeforeMs: number;
  /** The wait was asked for by the platform: draining does not cut it short. */
  asked: boolean;
  cancelTimer: (() => void) | undefined;
}

export function createPostQueue<State>(options: PostQueueOptions<State>): PostQueue<State> {
  const slots = new Map<string, Slot<State>>();
  const idle: (() => void)[] = [];
  const nowMs = () => options.now().getTime();
  let draining = false;

  function slotOf(key: string): Slot<State> {
    const known = slots.get(key);
    if (known !== undefined) return known;
    const slot: Slot<State> = {
      next: undefined,
      waiters: [],
      writing: false,
      failures: 0,
      notBeforeMs: Number.NEGATIVE_INFINITY,
      asked: false,
      cancelTimer: undefined,
    };
    slots.set(key, slot);
    return slot;
  }

  function schedule(key: string, slot: Slot<State>) {
    if (slot.writing || slot.cancelTimer !== undefined) return;
    const waitMs = draining && !slot.asked ? 0 : slot.notBeforeMs - nowMs();
    if (waitMs > 0) {
      slot.cancelTimer = options.after(waitMs, () => {
        slot.cancelTimer = undefined;
        schedule(key, slot);
      });
    } else if (slot.next !== undefined) void write(key, slot, slot.next.state);
    else forget(key);
  }

  /** A message nobody writes and whose cadence has passed is not remembered. */
  function forget(key: string) {
    slots.delete(key);
    settleIdle();
  }

  function settleIdle() {
    if ([...slots.values()].some((slot) => slot.writing || slot.next !== undefined)) return;
    for (const resolve of idle.splice(0)) resolve();
  }

  async function write(key: string, slot: Slot<State>, state: State) {
    const waiters = slot.waiters.splice(0);
    slot.next = undefined;
    slot.writing = true;
    try {
      await options.write(key, state);
      slot.failures = 0;
      slot.asked = false;
      slot.notBeforeMs = nowMs() + options.cadenceMs;
      for (const waiter of waiters) waiter.resolve();
    } catch (error) {
      slot.failures += 1;
      const waitMs = options.retryAfterMs(error, slot.failures);
      if (waitMs === undefined) {
        slot.failures = 0;
        for (const waiter of waiters) waiter.reject(error);
      } else {
        slot.next ??= { state };
        slot.waiters.unshift(...waiters);
        slot.asked = true;
        slot.notBeforeMs = nowMs() + waitMs;
      }
    }
    slot.writing = false;
    schedule(key, slot);
    settleIdle();
  }

  function giveUp() {
    for (const [key, slot] of [...slots]) {
      slot.cancelTimer?.();
      slot.next = undefined;
      for (const waiter of slot.waiters.splice(0)) waiter.reject(new Error('given up: the front stops'));
      if (!slot.writing) slots.delete(key);
    }
    settleIdle();
  }

  return {
    put(key, state) {
      const slot = slotOf(key);
      slot.next = { state };
      const written = new Promise<void>((resolve, reject) => slot.waiters.push({ resolve, reject }));
      schedule(key, slot);
      return written;
    },
    async drain(patienceMs) {
      draining = true;
      for (const [key, slot] of [...slots]) {
        if (slot.asked) continue;
        slot.cancelTimer?.();
        slot.cancelTimer = undefined;
        schedule(key, slot);
      }
      const cancel = patienceMs === undefined ? () => {} : options.after(patienceMs, giveUp);
      await new Promise<void>((resolve) => {
        idle.push(resolve);
        settleIdle();
      });
      cancel();
      draining = false;
    },
  };
}
