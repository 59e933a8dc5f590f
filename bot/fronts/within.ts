// Waits for something, but not for long: an acknowledgement can't.

/** Calls back once after a delay. @returns what takes it back. */
export type After = (delayMs: number, callback: () => void) => () => void;

/** @returns what comes of `promise`, or `otherwise` when that takes longer. Rejects as it does, if it does so in time. */
export function within<T, O>(after: After, delayMs: number, promise: Promise<T>, otherwise: O): Promise<T | O> {
  return new Promise((resolve, reject) => {
    const stopWaiting = after(delayMs, () => resolve(otherwise));
    promise.then(resolve, reject).finally(stopWaiting);
  });
}
