// What the handlers of events share: how an event is handed to the conversation, and how its answer finds its way back.
import { AsyncLocalStorage } from 'node:async_hooks';
import { UserError } from '../../../engine/index.ts';
import type { Attachment, Incoming, Person, Place, Reply } from '../../chat/message.ts';
import { apology } from '../../chat/reply.ts';
import type { Downloads } from '../download.ts';
import type { Handle } from '../front.ts';
import { createTurnstile } from '../turnstile.ts';
import type { Exchange } from './exchange.ts';

/** Without what only the exchange knows. */
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type Said = DistributiveOmit<Incoming, 'key' | 'place' | 'person' | 'receivedAt'>;

/** A file to fetch before the event is handled. */
export interface RemoteFile {
  readonly url: string;
  readonly name: string;
  readonly bytes: number;
}

export interface Work {
  /** Fetches the files, then hands over what `say` makes of them. Never rejects: what goes wrong is shown or logged. */
  run<Name extends string>(
    event: { readonly key: string; readonly place: Place; readonly person: Person; readonly exchange: Exchange },
    files: ReadonlyMap<Name, RemoteFile>,
    say: (files: ReadonlyMap<Name, Attachment>) => Promise<Said> | Said,
  ): Promise<void>;
  /** The exchange that the code running now answers. */
  current(): Exchange | undefined;
  /** Whether this event was seen by this process before; remembers it. */
  seen(key: string): boolean;
  /** A turn of the event loop between two stretches of work. */
  turn(): Promise<void>;
  idle(): Promise<void>;
}

export interface WorkOptions {
  readonly handle: () => Handle | undefined;
  readonly deliver: (place: Place, reply: Reply, asker: Person) => Promise<void>;
  readonly downloads: Downloads;
  readonly onDuplicate: () => void;
  readonly now: () => Date;
  readonly log: { error(fields: object, message: string): void };
}

/** Events worked on at a time. Answers are quick; what is slow runs in other processes. */
const atOnce = 8;
const rememberedEvents = 10_000;

export function createWork({ handle, deliver, downloads, onDuplicate, now, log }: WorkOptions): Work {
  const answering = new AsyncLocalStorage<Exchange>();
  const enter = createTurnstile(atOnce);
  const underWay = new Set<Promise<void>>();
  const known = new Set<string>();

  const run: Work['run'] = async (event, files, say) => {
    const { key, place, person, exchange } = event;
    const receivedAt = now();
    const work = enter(() =>
      answering.run(exchange, async () => {
        const fetched = new Map<
          Parameters<typeof say>[0] extends ReadonlyMap<infer N, Attachment> ? N : never,
          Attachment
        >();
        try {
          for (const [name, file] of files) fetched.set(name, await downloads.fetch(file));
          const said = await say(fetched);
          await handle()?.({ ...said, key, place, person, receivedAt });
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          await deliver(place, apology(error), person);
        } finally {
          await Promise.all([...fetched.values()].map(downloads.remove));
        }
      }),
    ).catch((error: unknown) => log.error({ err: error, key }, 'Discord: an event could not be handled'));
    underWay.add(work);
    await work;
    underWay.delete(work);
  };

  return {
    run,
    turn: enter.turn,
    current: () => answering.getStore(),
    seen(key) {
      if (known.has(key)) {
        onDuplicate();
        return true;
      }
      known.add(key);
      const [oldest] = known;
      if (known.size > rememberedEvents && oldest !== undefined) known.delete(oldest);
      return false;
    },
    async idle() {
      await Promise.all(underWay);
    },
  };
}
