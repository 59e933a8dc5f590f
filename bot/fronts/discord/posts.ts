// Replies → messages on Discord, in the order in which they were said, by one writer for each message. A private reply is
// whispered in answer to an interaction, or waits behind a button that shows it.
import type { Engine } from '../../../engine/index.ts';
import { plain } from '../../chat/escape.ts';
import type { Person, Place, Reply } from '../../chat/message.ts';
import { reply as publicReply, text } from '../../chat/reply.ts';
import { createPostQueue } from '../post-queue.ts';
import { createCustomIds } from './custom-id.ts';
import { createDrafts, type Drafts, type DraftsOptions } from './drafts.ts';
import { type Exchange, isFresh } from './exchange.ts';
import { type Calls, retryAfterMs } from './rest.ts';
import { createWriter, type Job } from './writer.ts';

export interface PostsOptions extends Omit<DraftsOptions, 'engine'> {
  readonly calls: Calls;
  readonly engine: Pick<Engine, 'conversations' | 'kept' | 'pictures'>;
  readonly cadenceMs: number;
  /** How long a stop waits for what Discord makes us wait for. */
  readonly patienceMs: number;
  readonly now: () => Date;
  readonly after: (delayMs: number, callback: () => void) => () => void;
  readonly log: { warn(fields: object, message: string): void };
}

export interface Posts extends Pick<Drafts, 'keep'> {
  deliver(place: Place, reply: Reply, asker: Person, exchange: Exchange | undefined): Promise<void>;
  /** Shows a private reply to the person who uses the interaction. @returns the ids of its messages. */
  whisper(reply: Reply, exchange: Exchange, workspaceId: string): Promise<readonly string[]>;
  drain(): Promise<void>;
}

/** A call no command has: it opens what was meant for one person. */
export const privateCommand = 'discord:show';

const rememberedWhispers = 1000;

export function createPosts(options: PostsOptions): Posts {
  const { calls, engine } = options;
  const nowMs = () => options.now().getTime();
  const tails = new Map<string, Promise<unknown>>();
  const whispered = new Map<number, { readonly exchange: Exchange; readonly ids: readonly string[] }>();
  const drafts = createDrafts(options);
  const writer = createWriter({ ...options, drafts, conversations: engine.conversations });
  const queue = createPostQueue<Job>({
    write: (_key, job) => writer.write(job),
    cadenceMs: options.cadenceMs,
    retryAfterMs,
    now: options.now,
    after: options.after,
  });

  /** One at a time for each place, so that messages stand in the order in which they were said. */
  function inOrder<T>(place: Place, work: () => Promise<T>): Promise<T> {
    const key = JSON.stringify([place.workspaceId, place.conversationId]);
    const done = (tails.get(key) ?? Promise.resolve()).then(work, work);
    tails.set(key, done);
    const forget = () => {
      if (tails.get(key) === done) tails.delete(key);
    };
    done.then(forget, forget);
    return done;
  }

  async function deliver(place: Place, reply: Reply, asker: Person, exchange: Exchange | undefined) {
    const isPrivate = reply.audience === 'asker' && exchange?.origin.direct !== true;
    const edit = await inOrder(place, async () => {
      const stored = await engine.conversations.say(place, {
        content: reply,
        ...(reply.slot === undefined ? {} : { slot: reply.slot }),
        ...(isPrivate ? { visibleTo: asker.id } : {}),
      });
      if (isPrivate && exchange !== undefined && isFresh(exchange, nowMs())) {
        if (!(await whisperAnew(stored.id, reply, place.workspaceId)))
          whispered.set(stored.id, { exchange, ids: await whisper(reply, exchange, place.workspaceId) });
        if (whispered.size > rememberedWhispers) whispered.delete(whispered.keys().next().value ?? -1);
        return undefined;
      }
      const shown = isPrivate ? await sealed(place, reply, asker) : reply;
      const alone = isPrivate ? reply : undefined;
      const writing = queue.put(String(stored.id), { place, reply: shown, alone, asker, exchange, stored });
      // A first post holds its place in the order; an edit does not hold up what comes after it.
      if (stored.externalId !== undefined || writer.knows(stored.id)) return { writing };
      await writing;
      return undefined;
    });
    await edit?.writing;
  }

  /** The newer state of a whisper, in its place while its token serves. @returns whether it could be. */
  async function whisperAnew(storedId: number, reply: Reply, workspaceId: string): Promise<boolean> {
    const before = whispered.get(storedId);
    const token = before?.exchange.token;
    if (before === undefined || token === undefined || !isFresh(before.exchange, nowMs())) return false;
    const { exchange, ids } = before;
    const pages = await drafts.pages(workspaceId, reply, exchange.origin.channelId, exchange);
    if (pages.length !== ids.length) return false;
    for (const [at, page] of pages.entries()) await calls.editAnswer(token, ids[at] ?? '', await drafts.draft(page));
    return true;
  }

  /** @returns the ids of its messages. */
  async function whisper(reply: Reply, exchange: Exchange, workspaceId: string): Promise<readonly string[]> {
    const { token } = exchange;
    if (token === undefined) throw new Error('a whisper needs an interaction');
    const pages = await drafts.pages(workspaceId, reply, exchange.origin.channelId, exchange);
    if (exchange.thinking) {
      // The first answer after "thinking…" would take its audience: everyone. It has to go first.
      await calls.deleteAnswer(token, '@original');
      exchange.thinking = false;
    }
    const ids: string[] = [];
    for (const page of pages)
      ids.push((await calls.followUp(token, { ...(await drafts.draft(page)), private: true })).id);
    return ids;
  }

  /** Discord shows a private message only in answer to an interaction: the person opens it with a button. */
  async function sealed(place: Place, reply: Reply, asker: Person): Promise<Reply> {
    const ids = createCustomIds();
    const id = ids.keep({ kind: 'private', reply, personId: asker.id });
    await drafts.keep(place.workspaceId, ids.keepsakes);
    return publicReply(text(`✉️ For **${plain(asker.name, 60)}** only:`), {
      kind: 'buttons',
      buttons: [{ label: 'Show', style: 'primary', call: { command: privateCommand, args: { id } } }],
    });
  }

  return { deliver, keep: drafts.keep, whisper, drain: () => queue.drain(options.patienceMs) };
}
