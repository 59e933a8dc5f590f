// Lets work in a few at a time, one a turn of the event loop: what must be quick (acknowledging) never queues behind what is slow.

export interface Turnstile {
  /** Runs `work` when its turn comes, in the order asked for. */
  <T>(work: () => Promise<T>): Promise<T>;
  /** Resolves in a turn of the event loop of its own: between two of them, what has arrived meanwhile is heard. */
  turn(): Promise<void>;
}

/** Turns in a row that those outside may be kept waiting. */
const mostHeld = 200;

/**
 * @param width how many are inside at a time.
 * @param isHeld true while something quick is under way: nobody is let in then, for a while.
 */
export function createTurnstile(width: number, isHeld: () => boolean = () => false): Turnstile {
  const queue: (() => void)[] = [];
  const turns: (() => void)[] = [];
  let inside = 0;
  let held = 0;

  /** `setImmediate` alone would run all that wait in one go. */
  function takeTurns() {
    if (isHeld() && held < mostHeld) held += 1;
    else {
      held = 0;
      turns.shift()?.();
    }
    if (turns.length > 0) setImmediate(takeTurns);
  }

  function turn(): Promise<void> {
    return new Promise((resolve) => {
      turns.push(resolve);
      if (turns.length === 1) setImmediate(takeTurns);
    });
  }

  function admit() {
    if (inside >= width) return;
    const next = queue.shift();
    if (next === undefined) return;
    inside += 1;
    void turn().then(next);
  }

  async function enter<T>(work: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      queue.push(resolve);
      admit();
    });
    try {
      return await work();
    } finally {
      inside -= 1;
      admit();
    }
  }
  return Object.assign(enter, { turn });
}
