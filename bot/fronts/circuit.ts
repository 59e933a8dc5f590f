// Stops calling a platform that keeps refusing us, and tries again after a while: refused requests are counted by it too.

export interface CircuitOptions {
  /** Failures within the window that open the circuit. */
  readonly failures: number;
  readonly windowMs: number;
  /** Time until one request may try again. */
  readonly coolDownMs: number;
  readonly now: () => Date;
}

export interface Circuit {
  /** Whether a request may go out. In a half-open circuit only one may, until it has succeeded or failed. */
  allows(): boolean;
  succeeded(): void;
  failed(): void;
  /** Opens at once, for a refusal that repeating can't mend. */
  trip(): void;
  state(): 'closed' | 'open' | 'half-open';
}

export function createCircuit({ failures, windowMs, coolDownMs, now }: CircuitOptions): Circuit {
  let failedAtMs: number[] = [];
  let openedAtMs: number | undefined;
  let probing = false;
  const nowMs = () => now().getTime();
  const cooled = () => openedAtMs !== undefined && nowMs() - openedAtMs >= coolDownMs;

  function open() {
    openedAtMs = nowMs();
    failedAtMs = [];
    probing = false;
  }

  return {
    allows() {
      if (openedAtMs === undefined) return true;
      if (!cooled() || probing) return false;
      probing = true;
      return true;
    },
    succeeded() {
      if (openedAtMs !== undefined && !probing) return; // An answer to a question asked before the circuit opened.
      openedAtMs = undefined;
      probing = false;
    },
    failed() {
      if (openedAtMs !== undefined) {
        if (probing) open();
        return;
      }
      failedAtMs = [...failedAtMs.filter((at) => nowMs() - at < windowMs), nowMs()];
      if (failedAtMs.length >= failures) open();
    },
    trip: open,
    state() {
      if (openedAtMs === undefined) return 'closed';
      return cooled() ? 'half-open' : 'open';
    },
  };
}
