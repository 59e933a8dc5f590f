// One message of ours on its way, and what is known of where it stands.
import type { Person, Place, Reply } from '../../chat/message.ts';

export interface Posting {
  readonly place: Place;
  readonly reply: Reply;
  readonly asker: Person;
  readonly messageId: number;
  /** Milliseconds since 1970. */
  readonly saidAtMs: number;
  readonly standing: Standing;
  readonly slot: string;
  /** The newest of a message is what counts as delivered. */
  readonly version: number;
}

/** What is known of one of our messages while the process runs. */
export interface Standing {
  /** Of its parts, in order; Slack's ids. */
  ts: string[];
  /** A try ended without an answer: a part may stand there that we know nothing of. */
  unsure: boolean;
  plain: boolean;
  withoutPictures: boolean;
  pictureTries: number;
  version: number;
  /** Streaming did not work: it is posted whole. */
  whole: boolean;
}
