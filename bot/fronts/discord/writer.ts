// Writes one reply's messages: posted anew, or edited where they stand; through the interaction's token while it lives, and
// under the bot's own after that. What can't be said in a place is said to the person alone.
import type { Engine, StoredMessage } from '../../../engine/index.ts';
import type { Person, Place, Reply } from '../../chat/message.ts';
import { reply as publicReply, text } from '../../chat/reply.ts';
import type { Drafts, KnownChannel } from './drafts.ts';
import { type Exchange, isFresh } from './exchange.ts';
import { limits } from './limits.ts';
import type { Page } from './pages.ts';
import { lackingToWrite, missing, needs, type Permission } from './permissions.ts';
import { type Posted, postedAtMs, readPosted, toPosted } from './posted.ts';
import { renderReply } from './render.ts';
import { type Calls, codeOf, codes, type Draft } from './rest.ts';

/** One state of a message, to be written. */
export interface Job {
  readonly place: Place;
  readonly reply: Reply;
  /** A private reply as it is, for where nobody else reads: `reply` then only has the button that shows it. */
  readonly alone: Reply | undefined;
  readonly asker: Person;
  readonly exchange: Exchange | undefined;
  readonly stored: StoredMessage;
}

export interface WriterOptions {
  readonly calls: Calls;
  readonly drafts: Drafts;
  readonly conversations: Pick<Engine['conversations'], 'setExternalId'>;
  readonly channelFacts: (channelId: string) => KnownChannel;
  readonly now: () => Date;
  readonly log: { warn(fields: object, message: string): void };
}

export interface Writer {
  /** Resolves once the state stands on Discord. @throws what Discord refuses, or what the network does. */
  write(job: Job): Promise<void>;
  /** Whether this process has posted the message. */
  knows(messageId: number): boolean;
}

const rememberedPosts = 5000;
/** Nothing (more) can be said there. */
const unreachable: ReadonlySet<number> = new Set([
  codes.unknownChannel,
  codes.missingAccess,
  codes.missingPermissions,
  codes.followUpsSpent,
]);

export function createWriter({ calls, drafts, conversations, channelFacts, now, log }: WriterOptions): Writer {
  const nowMs = () => now().getTime();
  /** What is posted, for messages of this process; the database has the rest. */
  const posted = new Map<number, Posted>();

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
    await conversations.setExternalId(place, stored.id, JSON.stringify(after));
    if (rolls) await pointOn(before, after, exchange);
  }

  async function postAnew(job: Job, before: Posted | undefined): Promise<Posted> {
    const { place, exchange } = job;
    if (before?.toldWhy !== undefined) return postPages(job, before.channelId, before.toldWhy);
    const wanted =
      before?.channelId ??
      (exchange?.thread?.id === place.conversationId ? await exchange.thread.open() : place.conversationId);
    const viaToken = exchange !== undefined && exchange.origin.channelId === wanted && isFresh(exchange, nowMs());
    const lacking = viaToken ? [] : lackingToWrite(channelFacts(wanted));
    if (lacking.length === 0) {
      try {
        return await postPages(job, wanted);
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        log.warn({ place, code: codeOf(error) }, 'Discord: a place can no longer be written in');
      }
    }
    return postDirectly(job, wanted, lacking.length > 0 ? lacking : ['Send Messages']);
  }

  /** What can't be said where it was asked is said to the person alone, with what is lacking there. */
  async function postDirectly(job: Job, wanted: string, lacking: readonly Permission[]): Promise<Posted> {
    const { exchange, asker } = job;
    const channelId = await calls.openDirect(asker.id);
    const name = exchange?.origin.channelName ?? channelFacts(wanted).name;
    return postPages({ ...job, exchange: undefined }, channelId, `${needs(lacking, name)} to answer there.`);
  }

  /** The reply as its place shows it. Where nobody else reads, a private one needs no button. */
  function shownAs({ reply, alone }: Job, toldWhy: string | undefined): Reply {
    return toldWhy === undefined ? reply : { ...reply, blocks: [text(toldWhy), ...(alone ?? reply).blocks] };
  }

  /** Does it with files; once more with words in their place where just the files are refused. */
  async function withFilesOrWords<T>(
    job: Job,
    channelId: string,
    toldWhy: string | undefined,
    send: (pages: readonly Page[]) => Promise<T>,
  ): Promise<T> {
    const render = (wordsOnly: boolean) =>
      drafts.pages(job.place.workspaceId, shownAs(job, toldWhy), channelId, job.exchange, wordsOnly);
    const pages = await render(false);
    try {
      return await send(pages);
    } catch (error) {
      const hasFiles = pages.some(({ files }) => files.length > 0);
      if (!hasFiles || codeOf(error) !== codes.missingPermissions) throw error;
      return send(await render(true));
    }
  }

  function postPages(job: Job, channelId: string, toldWhy?: string): Promise<Posted> {
    return withFilesOrWords(job, channelId, toldWhy, async (pages) => {
      const messages: Posted['messages'] = [];
      try {
        for (const [at, page] of pages.entries())
          messages.push(toPosted(await postPage(page, channelId, job.exchange, nonceOf(job, at))));
      } catch (error) {
        if (codeOf(error) === codes.missingPermissions) await takeBack(channelId, messages);
        throw error;
      }
      return { channelId, messages, gone: false, ...(toldWhy === undefined ? {} : { toldWhy }) };
    });
  }

  async function postPage(page: Page, channelId: string, exchange: Exchange | undefined, nonce: string) {
    const draft = await drafts.draft(page);
    const here = exchange !== undefined && exchange.origin.channelId === channelId;
    if (here && exchange.token !== undefined && isFresh(exchange, nowMs())) {
      if (!exchange.thinking) return calls.followUp(exchange.token, draft);
      exchange.thinking = false;
      return calls.editAnswer(exchange.token, '@original', draft);
    }
    const mayRefer = here && missing(exchange.origin.bits, ['Read Message History']).length === 0;
    const answers = mayRefer ? exchange.answers : undefined;
    return calls.post(channelId, { ...draft, nonce, ...(answers === undefined ? {} : { answers }) });
  }

  async function editInPlace(job: Job, before: Posted): Promise<Posted> {
    try {
      return await withFilesOrWords(job, before.channelId, before.toldWhy, (pages) => editPages(job, before, pages));
    } catch (error) {
      const code = codeOf(error);
      const lost = code === codes.unknownMessage || isUnreachable(error);
      if (lost && isLive(job.reply)) return { ...before, gone: true };
      if (lost || code === codes.editsCapped) return postAnew(job, before);
      throw error;
    }
  }

  async function editPages(job: Job, before: Posted, pages: readonly Page[]): Promise<Posted> {
    const messages: Posted['messages'] = [];
    for (const [at, page] of pages.entries()) {
      const old = before.messages[at];
      const written =
        old === undefined
          ? await postPage(page, before.channelId, job.exchange, nonceOf(job, at))
          : await editPage(await drafts.draft(page, old), before.channelId, old.id, job.exchange);
      messages.push(toPosted(written));
    }
    await takeBack(before.channelId, before.messages.slice(pages.length));
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

  async function takeBack(channelId: string, messages: Posted['messages']) {
    for (const { id } of messages) {
      await calls
        .remove(channelId, id)
        .catch((error: unknown) => log.warn({ err: error }, 'Discord: a message could not be taken back'));
    }
  }

  /** The old message says where its card goes on. */
  async function pointOn(before: Posted, after: Posted, exchange: Exchange | undefined) {
    const [old, ...rest] = before.messages;
    if (old === undefined || after.messages[0] === undefined || before.gone) return;
    const { pages } = renderReply(publicReply(text('*This card goes on below.*')), {
      sectionUrl: () => undefined,
      fileBytes: 0,
    });
    try {
      const [page] = pages;
      if (page !== undefined) await editPage(await drafts.draft(page), before.channelId, old.id, exchange);
      for (const { id } of rest) await calls.remove(before.channelId, id);
    } catch (error) {
      log.warn({ err: error }, 'the old message of a card could not be closed');
    }
  }

  return { write, knows: (messageId) => posted.has(messageId) };
}

/** A reply that will be edited again and again: it shows progress. */
const isLive = ({ blocks }: Reply) => blocks.some(({ kind }) => kind === 'progress');

function isUnreachable(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && unreachable.has(code);
}

/** The same for the same attempt to post the same page, so that a repeated one posts nothing twice. */
const nonceOf = ({ stored, place }: Job, page: number) =>
  `${stored.id}.${page}.${(stored.externalId ?? place.conversationId).replace(/\D/g, '').slice(-8)}`;
