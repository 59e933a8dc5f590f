// Replies out: posted in order, edited in place by one writer a message, private ones to one person, over restarts too.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Person, Place, Reply } from '../../chat/message.ts';
import type { Front } from '../front.ts';
import { createPostQueue } from '../post-queue.ts';
import { retryAfterMs, SlackProblem } from './api.ts';
import type { Posting, Standing } from './posting.ts';
import { explain, simplify } from './refused.ts';
import { createWriting, type WritingOptions } from './writing.ts';

export interface DeliveryOptions extends WritingOptions {
  readonly now: () => Date;
  readonly after: (delayMs: number, callback: () => void) => () => void;
  /** Least time between two changes of one message. */
  readonly cadenceMs?: number | undefined;
  readonly log: WritingOptions['log'] & { error(fields: object, message: string): void };
  /** Tells the asker, by any way that is left, why the reply can't stand where it belongs. */
  readonly notify: (place: Place, asker: Person, words: string) => Promise<void>;
}

export interface Delivery {
  deliver: Front['deliver'];
  /** Takes up what the last process had not delivered. */
  resume(workspaceIds: readonly string[]): Promise<void>;
  /** Writes what waits for its turn. */
  drain(): Promise<void>;
}

/** Slack allows about one change of a message a second; people read slower than that. */
const standardCadenceMs = 2000;

/** A reply on its way, as it is kept until it stands in Slack. */
const unsentSchema = z.object({
  conversationId: z.string(),
  asker: z.object({ id: z.string(), name: z.string() }),
  reply: z.custom<Reply>(
    (value) => z.object({ blocks: z.array(z.object({ kind: z.string() })) }).safeParse(value).success,
  ),
  atMs: z.number(),
});
const unsentKind = 'slack.unsent';
/** Nobody waits for an answer any longer than this. */
const staleMs = 24 * 3_600_000;

export function createDelivery(options: DeliveryOptions): Delivery {
  const { engine, log } = options;
  const writePages = createWriting(options);
  const tails = new Map<string, Promise<unknown>>();
  const standings = new Map<number, Standing>();
  const queue = createPostQueue<Posting>({
    write,
    cadenceMs: options.cadenceMs ?? standardCadenceMs,
    retryAfterMs,
    now: options.now,
    after: options.after,
  });

  function inOrder<T>({ workspaceId, conversationId }: Place, work: () => Promise<T>): Promise<T> {
    const key = JSON.stringify([workspaceId, conversationId]);
    const done = (tails.get(key) ?? Promise.resolve()).then(work, work);
    tails.set(key, done);
    const forget = () => {
      if (tails.get(key) === done) tails.delete(key);
    };
    done.then(forget, forget);
    return done;
  }

  async function deliver(place: Place, reply: Reply, asker: Person) {
    try {
      await put(place, reply, asker);
    } catch (error) {
      if (!(error instanceof SlackProblem && (await tell(error, place, asker)))) throw error;
    }
  }

  /** @returns whether there was something to tell. */
  async function tell(problem: SlackProblem, place: Place, asker: Person): Promise<boolean> {
    const words = explain(problem, place);
    if (words === undefined) return false;
    log.error({ err: problem, place }, 'Slack refused a reply');
    await options.notify(place, asker, words);
    return true;
  }

  async function put(place: Place, reply: Reply, asker: Person, again?: { readonly slot: string }) {
    const slot = again?.slot ?? reply.slot ?? `once:${randomUUID()}`;
    const { edited } = await inOrder(place, async () => {
      const kept = await engine.conversations.say(place, {
        slot,
        ...(reply.audience === 'asker' ? { visibleTo: asker.id } : {}),
        content: reply,
      });
      const unsent: z.input<typeof unsentSchema> = {
        conversationId: place.conversationId,
        asker,
        reply,
        atMs: options.now().getTime(),
      };
      await engine.kept.put(place.workspaceId, unsentKind, `${place.conversationId} ${slot}`, unsent);
      const standing = standingOf(kept.id, kept.externalId);
      if (again !== undefined && standing.ts.length === 0) standing.unsure = true;
      standing.version += 1;
      const saidAtMs = kept.createdAt.getTime();
      const posting = { place, reply, asker, messageId: kept.id, saidAtMs, standing, slot, version: standing.version };
      const written = queue.put(keyOf(posting), posting);
      // A message that stands is changed where it is; a new one keeps its turn in the conversation.
      if (standing.ts.length > 0) return { edited: written };
      await written;
      return { edited: undefined };
    });
    await edited;
  }

  const keyOf = ({ place, messageId }: Posting) => `${place.workspaceId}|${messageId}`;

  function standingOf(messageId: number, externalId: string | undefined): Standing {
    const known = standings.get(messageId);
    if (known !== undefined) return known;
    const standing = {
      ts: externalId === undefined || externalId === '' ? [] : externalId.split(','),
      unsure: false,
      plain: false,
      withoutPictures: false,
      pictureTries: 0,
      version: 0,
      whole: false,
    };
    if (standings.size > 5000) standings.clear();
    standings.set(messageId, standing);
    return standing;
  }

  async function write(_key: string, posting: Posting) {
    const { standing } = posting;
    try {
      await writePages(posting);
      standing.unsure = false;
      await settle(posting);
    } catch (error) {
      if (!(error instanceof SlackProblem)) throw error;
      if (error.trouble === 'refused' || error.trouble === 'permission') await settle(posting);
      if (error.trouble === 'unsure') standing.unsure = true;
      const again = simplify(error, posting.reply, standing);
      if (!again) throw error;
      if (error.trouble === 'permission') await tell(error, posting.place, posting.asker);
      throw new SlackProblem(error.method, error.code, 'wait', { waitMs: again.waitMs, cause: error });
    }
  }

  /** It stands in Slack, or never will: nothing is left to do for it, unless something newer came. */
  async function settle({ place, slot, standing, version }: Posting) {
    if (standing.version !== version) return;
    await engine.kept.remove(place.workspaceId, unsentKind, `${place.conversationId} ${slot}`);
  }

  async function resume(workspaceIds: readonly string[]) {
    for (const workspaceId of workspaceIds) {
      for (const { name, value } of await engine.kept.list(workspaceId, unsentKind)) {
        const unsent = unsentSchema.safeParse(value);
        if (!unsent.success || options.now().getTime() - unsent.data.atMs > staleMs) {
          await engine.kept.remove(workspaceId, unsentKind, name);
          continue;
        }
        const { conversationId, reply, asker } = unsent.data;
        const place: Place = { front: 'slack', workspaceId, conversationId };
        const slot = name.slice(conversationId.length + 1);
        put(place, reply, asker, { slot }).catch((error: unknown) => {
          log.error({ err: error, place }, 'a reply of the last process could not be delivered');
        });
      }
    }
  }

  return { deliver, resume, drain: () => queue.drain() };
}
