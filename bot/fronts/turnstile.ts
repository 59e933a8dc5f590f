// Lets work in a few at a time, and only in a calm moment of the event loop: what must be quick (acknowledging) takes a few
// turns of it, from a connection to the last byte of the answer, and each would queue behind what is slow.

export interface Turnstile {
  /** Runs `work` when its turn comes, in the order asked for. */
  <T>(work: () => Promise<T>): Promise<T>;
  /** Resolves in a calm turn of the event loop of its own: what has arrived meanwhile is heard before. */
  turn(): Promise<void>;
}

/** Turns in a row with nothing quick under way: what has arrived shows itself within them. Idle ones take microseconds. */
const calmTurns = 4;
/** Looks, a millisecond apart, after which somebody is let in all the same. */
const mostHeld = 50;

/**
 * @param width how many are inside at a time.
 * @param isHeld true while something quick is under way: nobody is let in then, for a while.
 */
export function createTurnstile(width: number, isHeld: () => boolean = () => false): Turnstile {
  const queue: (() => void)[] = [];
  const turns: (() => void)[] = [];
  let inside = 0;
  let calm = 0;
  let held = 0;

  function look() {
    const busy = isHeld() && held < mostHeld;
    if (busy) {
      held += 1;
      calm = 0;
    } else calm += 1;
    if (calm >= calmTurns) {
      held = 0;
      calm = 0;
      // One at a time: `setImmediate` alone would run all that wait in one go.
      turns.shift()?.();
    }
    if (turns.length === 0) return;
    if (busy) setTimeout(look, 1);
    else setImmediate(look);
  }

  function turn(): Promise<void> {
    return new Promise((resolve) => {
      turns.push(resolve);
      if (turns.length === 1) setImmediate(look);
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
