// What every front is to the rest of the bot: a place that people write from and replies go to.
import type { FrontName, Incoming, Person, Place, Reply } from '../chat/message.ts';

/** Takes what a person did; resolves when the last reply has been delivered. Never rejects: errors become replies. */
export type Handle = (incoming: Incoming) => Promise<void>;

export interface Front {
  readonly name: FrontName;
  /** Begins to listen. Resolves with a line for the person who started the bot, such as the page's address. */
  start(handle: Handle): Promise<string>;
  /** Shows `reply`, or edits the message in its slot. Safe to call for one place from many sides: order is kept. */
  deliver(place: Place, reply: Reply, asker: Person): Promise<void>;
  stop(): Promise<void>;
}

/** How the connection to a platform stands, as numbers for /metrics. */
export interface Vitals {
  readonly connected: boolean;
  readonly reconnects: number;
  /** Connections given up because nothing answered on them, where the front can tell. */
  readonly zombies?: number;
  /** Requests the platform refused, by HTTP status. */
  readonly refused: { readonly 401: number; readonly 403: number; readonly 429: number };
  readonly circuit: 'closed' | 'open' | 'half-open';
}
