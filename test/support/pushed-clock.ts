// A clock that goes on as real time does and can be pushed forward: what falls due on the way happens at once, in order.
// For whole stories, where sockets and databases go on in real time.
import type { Clock } from './stopped-clock.ts';

export interface PushedClock extends Clock {
  advance(durationMs: number): void;
}

export function createPushedClock(): PushedClock {
  let offsetMs = 0;
  const timers = new Set<{ readonly dueAtMs: number; fire(): void }>();
  const nowMs = () => Date.now() + offsetMs;

  return {
    now: () => new Date(nowMs()),
    after(delayMs, callback) {
      const real = setTimeout(() => timer.fire(), delayMs);
      const timer = {
        dueAtMs: nowMs() + delayMs,
        fire() {
          clearTimeout(real);
          if (timers.delete(timer)) callback();
        },
      };
      timers.add(timer);
      return () => {
        clearTimeout(real);
        timers.delete(timer);
      };
    },
    advance(durationMs) {
      offsetMs += durationMs;
      const due = [...timers].filter(({ dueAtMs }) => dueAtMs <= nowMs());
      for (const timer of due.sort((a, b) => a.dueAtMs - b.dueAtMs)) timer.fire();
    },
  };
}
