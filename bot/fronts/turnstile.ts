// Lets work in a few at a time, giving the event loop a turn between: what must be quick (acknowledging) never queues behind what is slow.

/** @returns a function that runs `work` when its turn comes, in the order asked for. */
export function createTurnstile(width: number): <T>(work: () => Promise<T>) => Promise<T> {
  const queue: (() => void)[] = [];
  let inside = 0;

  function admit() {
    if (inside >= width) return;
    const next = queue.shift();
    if (next === undefined) return;
    inside += 1;
    setImmediate(next);
  }

  return async (work) => {
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
  };
}
