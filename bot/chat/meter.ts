// What is counted of what goes through: told by those who take events in and hand replies out.
import type { FrontName } from './message.ts';

export interface Meter {
  /** An event came in; `duplicate`: it had been taken in before. */
  event(front: FrontName, outcome: 'new' | 'duplicate'): void;
  /** From receiving an event to its acknowledgement having arrived. */
  acknowledged(front: FrontName, delayMs: number): void;
  reply(front: FrontName, outcome: 'sent' | 'failed'): void;
}
