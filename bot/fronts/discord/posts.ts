// Replies → messages on Discord: posted once, edited in place by one writer each, through the interaction's token while it
// lives and the bot's own after that. What was posted is kept, so that a restart goes on editing the same messages.
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { APIMessage } from 'discord.js';
import { z } from 'zod';
import type { Engine, StoredMessage } from '../../../engine/index.ts';
import { plain } from '../../chat/escape.ts';
import type { Person, Place, Reply } from '../../chat/message.ts';
import { reply as publicReply, text } from '../../chat/reply.ts';
import { createPostQueue } from '../post-queue.ts';
import { createCustomIds, type Keepsake } from './custom-id.ts';
import { type Exchange, isFresh } from './exchange.ts';
import { limits } from './limits.ts';
import { missing, needs, type Permission } from './permissions.ts';
import { type Page, type PageFile, type RenderOptions, renderReply } from './render.ts';
import { type Calls, codeOf, codes, type Draft, retryAfterMs } from './rest.ts';

/** What we posted for one reply, as it is kept. */
const postedSchema = z.object({
  channelId: z.string(),
  messages: z.array(
    z.object({ id: z.string(), files: z.array(z.object({ id: z.string(), name: z.string() })).default([]) }),
  ),
  /** Somebody deleted it: no more progress is shown. */
  gone: z.boolean().default(false),
});
type Posted = z.output<typeof postedSchema>;

export interface PostsOptions {
  readonly calls: Calls;
  readonly engine: Pick<Engine, 'conversations' | 'kept' | 'pictures'>;
  /** Files of replies lie under it. */
  readonly dataDir: string;
  readonly sectionUrl: RenderOptions['sectionUrl'];
  /** The bot's permissions in a channel, and its name, as far as they are known without asking. */
  readonly channelFacts: (channelId: string) => {
    readonly bits: bigint | undefined;
    readonly name: string | undefined;
    readonly isThread: boolean;
  };
  readonly cadenceMs: number;
  /** How long a stop waits for what Discord makes us wait for. */
  readonly patienceMs: number;
  readonly now: () => Date;
  readonly after: (delayMs: number, callback: () => void) => () => void;
  readonly log: { warn(fields: object, message: string): void };
}

export interface Posts {
  deliver(place: Place, reply: Reply, asker: Person, exchange: Exchange | undefined): Promise<void>;
  /** Keeps what components refer to. */
  keep(workspaceId: string, keepsakes: readonly Keepsake[]): Promise<void>;
  /** Shows a private reply to the person who uses the interaction. */
  whisper(reply: Reply, exchange: Exchange, workspaceId: string): Promise<void>;
  drain(): Promise<void>;
}

export const keptKind = 'discord';

interface Job {
  readonly place: Place;
  readonly reply: Reply;
  /** A private reply as it is, for where nobody else reads: `reply` then only has the button that shows it. */
  readonly alone: Reply | undefined;
  readonly asker: Person;
  readonly exchange: Exchange | undefined;
  readonly stored: StoredMessage;
}

export function createPosts(options: PostsOptions): Posts {
  const { calls, engine, log } = options;
  const nowMs = () => options.now().getTime();
  const tails = new Map<string, Promise<unknown>>();
  /** What is posted, for messages of this process; the database has the rest. */
  const posted = new Map<number, Posted>();
  const queue = createPostQueue<Job>({
    write: (_key, job) => write(job),
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
        await whisper(reply, exchange, place.workspaceId);
        return undefined;
      }
      const shown = isPrivate ? await sealed(place, reply, asker) : reply;
      const alone = isPrivate ? reply : undefined;
      const writing = queue.put(String(stored.id), { place, reply: shown, alone, asker, exchange, stored });
      // A first post holds its place in the order; an edit does not hold up what comes after it.
      if (stored.externalId !== undefined || posted.has(stored.id)) return { writing };
      await writing;
      return undefined;
    });
    await edit?.writing;
  }

  async function keep(workspaceId: string, keepsakes: readonly Keepsake[]) {
    for (const { id, value } of keepsakes) await engine.kept.putOnce(workspaceId, keptKind, id, value);
  }

  async function whisper(reply: Reply, exchange: Exchange, workspaceId: string) {
    const { token } = exchange;
    if (token === undefined) throw new Error('a whisper needs an interaction');
    const { pages, keepsakes } = await render(reply, exchange, exchange.origin.channelId);
    await keep(workspaceId, keepsakes);
    if (exchange.thinking) {
      // The first answer after "thinking…" would take its audience: everyone. It has to go first.
      await calls.deleteAnswer(token, '@original');
      exchange.thinking = false;
    }
    for (const page of pages) await calls.followUp(token, { ...(await draftOf(page)), private: true });
  }

  /** Discord shows a private message only in answer to an interaction: the person opens it with a button. */
  async function sealed(place: Place, reply: Reply, asker: Person): Promise<Reply> {
    const ids = createCustomIds();
    const id = ids.keep({ kind: 'private', reply, personId: asker.id });
    await keep(place.workspaceId, ids.keepsakes);
    return publicReply(text(`✉️ For **${plain(asker.name, 60)}** only:`), {
      kind: 'buttons',
      buttons: [{ label: 'Show', style: 'primary', call: { command: privateCommand, args: { id } } }],
    });
  }

  async function render(reply: Reply, exchange: Exchange | undefined, channelId: string) {
    const facts = options.channelFacts(channelId);
    const bits = exchange?.origin.channelId === channelId ? (exchange.origin.bits ?? facts.bits) : facts.bits;
    const refused = missing(bits, ['Attach Files']);
    return renderReply(await withWhatIsKept(reply), {
      sectionUrl: options.sectionUrl,
      fileBytes: exchange?.origin.fileBytes ?? limits.message.fileBytes,
      filesRefused:
        refused.length === 0
          ? undefined
          : `${needs(refused, exchange?.origin.channelName ?? facts.name).replaceAll('*', '')} to show it.`,
    });
  }

  /** A picture or a file that is not kept any more is shown by its words. */
  async function withWhatIsKept(reply: Reply): Promise<Reply> {
    const blocks = await Promise.all(
      reply.blocks.map(async (block) => {
        if (block.kind === 'picture' && (await engine.pictures.get(block.pictureId)) === undefined) {
          return text(`*${plain(block.alt)}*`);
        }
        if (block.kind !== 'file') return block;
        const path = resolve(options.dataDir, block.path);
        const found = await stat(path).catch(() => undefined);
        return found?.isFile() ? { ...block, path } : text(`${plain(block.name)} is not kept any more.`);
      }),
    );
    return { ...reply, blocks };
  }

  async function draftOf(page: Page, before: Posted['messages'][number] | undefined = undefined): Promise<Draft> {
    const kept = (before?.files ?? []).filter(({ name }) => page.files.some((file) => file.name === name));
    const fresh = page.files.filter(({ name }) => !kept.some((file) => file.name === name));
    return {
      components: page.components,
      keep: kept.map(({ id }) => id),
      files: await Promise.all(fresh.map(loadFile)),
    };
  }

  async function loadFile({ name, description, from }: PageFile) {
    const data = from.kind === 'path' ? await readFile(from.path) : await engine.pictures.get(from.id);
    if (data === undefined) throw new Error(`picture ${name} is gone`);
    return { name, data: Buffer.from(data), ...(description === undefined ? {} : { description }) };
  }

  async function write(job: Job): Promise<void> {
    const { place, stored, exchange } = job;
    const before = posted.get(stored.id) ?? readPosted(stored.externalId);
    const live = isLive(job.reply);
    if (before?.gone && live) return;
    const rolls = before !== undefined && live && nowMs() - postedAtMs(before) > limits.edit.liveMs;
    const fresh = before === undefined || before.gone || rolls;
    const after = fresh ? await postAnew(job, before) : await editInPlace(job, before);
    posted.set(stored.id, after);
    if (posted.size > rememberedPosts) posted.delete(posted.keys().next().value ?? -1);
    await engine.conversations.setExternalId(place, stored.id, JSON.stringify(after));
    if (rolls) await pointOn(before, after, exchange);
  }

  async function postAnew(job: Job, before: Posted | undefined): Promise<Posted> {
    const { place, exchange } = job;
    const wanted =
      before?.channelId ??
      (exchange?.thread?.id === place.conversationId ? await exchange.thread.open() : place.conversationId);
    const viaToken = exchange !== undefined && exchange.origin.channelId === wanted && isFresh(exchange, nowMs());
    const lacking = viaToken ? [] : lackingToWrite(wanted);
    if (lacking.length === 0) {
      try {
        return await postPages(job, wanted);
      } catch (error) {
        const code = codeOf(error);
        if (code === undefined || !unreachable.has(code)) throw error;
        log.warn({ place, code }, 'Discord: a place can no longer be written in');
      }
    }
    return postDirectly(job, wanted, lacking.length > 0 ? lacking : ['Send Messages']);
  }

  function lackingToWrite(channelId: string): readonly Permission[] {
    const { bits, isThread } = options.channelFacts(channelId);
    return missing(bits, ['View Channels', isThread ? 'Send Messages in Threads' : 'Send Messages']);
  }

  /** What can't be said where it was asked is said to the person alone, with what is lacking there. */
  async function postDirectly(job: Job, wanted: string, lacking: readonly Permission[]): Promise<Posted> {
    const { exchange, asker, reply, alone } = job;
    const channelId = await calls.openDirect(asker.id);
    const name = exchange?.origin.channelName ?? options.channelFacts(wanted).name;
    const why = `${needs(lacking, name)} to answer there.`;
    // Nobody else reads it there: a private reply needs no button that shows it.
    const told = { ...reply, blocks: [text(why), ...(alone ?? reply).blocks] };
    return postPages({ ...job, reply: told, exchange: undefined }, channelId);
  }

  async function postPages(job: Job, channelId: string): Promise<Posted> {
    const { place, reply, exchange } = job;
    const { pages, keepsakes } = await render(reply, exchange, channelId);
    await keep(place.workspaceId, keepsakes);
    const messages: Posted['messages'] = [];
    for (const [at, page] of pages.entries()) {
      messages.push(toPosted(await postPage(page, channelId, exchange, nonceOf(job, at))));
    }
    return { channelId, messages, gone: false };
  }

  async function postPage(page: Page, channelId: string, exchange: Exchange | undefined, nonce: string) {
    const draft = await draftOf(page);
    const here = exchange !== undefined && exchange.origin.channelId === channelId;
    if (here && exchange.token !== undefined && isFresh(exchange, nowMs())) {
      if (!exchange.thinking) return calls.followUp(exchange.token, draft);
      exchange.thinking = false;
      return calls.editAnswer(exchange.token, '@original', draft);
    }
    const answers = here ? exchange.answers : undefined;
    return calls.post(channelId, { ...draft, nonce, ...(answers === undefined ? {} : { answers }) });
  }

  async function editInPlace(job: Job, before: Posted): Promise<Posted> {
    const { place, reply, exchange } = job;
    const { pages, keepsakes } = await render(reply, exchange, before.channelId);
    await keep(place.workspaceId, keepsakes);
    const messages: Posted['messages'] = [];
    for (const [at, page] of pages.entries()) {
      const old = before.messages[at];
      if (old === undefined) {
        messages.push(toPosted(await postPage(page, before.channelId, exchange, nonceOf(job, at))));
        continue;
      }
      try {
        messages.push(toPosted(await editPage(await draftOf(page, old), before.channelId, old.id, exchange)));
      } catch (error) {
        const code = codeOf(error);
        if (code === codes.unknownMessage && isLive(reply)) return { ...before, gone: true };
        if (code === codes.unknownMessage || code === codes.editsCapped) return postAnew(job, before);
        throw error;
      }
    }
    for (const old of before.messages.slice(pages.length))
      await calls.remove(before.channelId, old.id).catch(() => undefined);
    return { ...before, messages };
  }

  async function editPage(draft: Draft, channelId: string, messageId: string, exchange: Exchange | undefined) {
    const token = exchange?.token;
    if (token !== undefined && exchange?.origin.botPresent === false && isFresh(exchange, nowMs())) {
      return calls.editAnswer(token, exchange.sourceMessageId === messageId ? '@original' : messageId, draft);
    }
    try {
      return await calls.edit(channelId, messageId, draft);
    } catch (error) {
      if (codeOf(error) !== codes.archivedThread) throw error;
      await calls.unarchive(channelId);
      return calls.edit(channelId, messageId, draft);
    }
  }

  /** The old message says where its card goes on. */
  async function pointOn(before: Posted, after: Posted, exchange: Exchange | undefined) {
    const [old, ...rest] = before.messages;
    const next = after.messages[0];
    if (old === undefined || next === undefined || before.gone) return;
    const { pages } = renderReply(publicReply(text('*This card goes on below.*')), {
      sectionUrl: () => undefined,
      fileBytes: 0,
    });
    try {
      const [page] = pages;
      if (page !== undefined) await editPage(await draftOf(page), before.channelId, old.id, exchange);
      for (const { id } of rest) await calls.remove(before.channelId, id);
    } catch (error) {
      log.warn({ err: error }, 'the old message of a card could not be closed');
    }
  }

  return { deliver, keep, whisper, drain: () => queue.drain(options.patienceMs) };
}

/** A call no command has: it opens what was meant for one person. */
export const privateCommand = 'discord:show';
const rememberedPosts = 5000;
const unreachable: ReadonlySet<number> = new Set([codes.unknownChannel, codes.missingAccess, codes.missingPermissions]);

/** A reply that will be edited again and again: it shows progress. */
const isLive = ({ blocks }: Reply) => blocks.some(({ kind }) => kind === 'progress');

function readPosted(externalId: string | undefined): Posted | undefined {
  if (externalId === undefined) return undefined;
  const read = postedSchema.safeParse(JSON.parse(externalId));
  return read.success ? read.data : undefined;
}

const toPosted = ({ id, attachments }: APIMessage): Posted['messages'][number] => ({
  id,
  files: (attachments ?? []).map((attachment) => ({ id: attachment.id, name: attachment.filename })),
});

const discordEpochMs = 1_420_070_400_000n;

/** A snowflake holds the time it was made. */
const snowflakeAtMs = (id: string) => Number((BigInt(id) >> 22n) + discordEpochMs);

const postedAtMs = ({ messages }: Posted) => (messages[0] === undefined ? 0 : snowflakeAtMs(messages[0].id));

/** The same for the same attempt to post the same page, so that a repeated one posts nothing twice. */
const nonceOf = ({ stored, place }: Job, page: number) =>
  `${stored.id}.${page}.${(stored.externalId ?? place.conversationId).replace(/\D/g, '').slice(-8)}`;
