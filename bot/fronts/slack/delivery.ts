// Replies out: posted in order, edited in place by one writer a message, private ones to one person, over restarts too.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Engine } from '../../../engine/index.ts';
import type { Block, Person, Place, Reply } from '../../chat/message.ts';
import type { Front } from '../front.ts';
import { createPostQueue } from '../post-queue.ts';
import { type Fields, retryAfterMs, type SlackApi, SlackProblem } from './api.ts';
import { mrkdwn, type SlackBlock } from './blocks.ts';
import { cut } from './limits.ts';
import { escapeMrkdwn } from './markdown.ts';
import { isDirect, type Places, type Spot } from './places.ts';
import { type Page, type RenderOptions, renderReply } from './render.ts';
import { lookedUp, readStreamable, streamAnswer } from './stream.ts';
import type { Charts } from './uploads.ts';

export const partKind = 'slack.part';
export const headingKind = 'slack.heading';

export interface DeliveryOptions {
  readonly engine: Pick<Engine, 'conversations' | 'kept'>;
  /** @throws SlackProblem for a workspace that has not installed the app. */
  readonly apiOf: (workspaceId: string) => Promise<SlackApi>;
  readonly places: Places;
  readonly charts: Charts;
  readonly sectionUrl: RenderOptions['sectionUrl'];
  readonly now: () => Date;
  readonly after: (delayMs: number, callback: () => void) => () => void;
  /** Least time between two changes of one message. */
  readonly cadenceMs?: number | undefined;
  readonly log: { error(fields: object, message: string): void; debug(fields: object, message: string): void };
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

interface Posting {
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
interface Standing {
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
  const { engine, places, charts, log } = options;
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

  async function writePages(posting: Posting) {
    const { place, reply, asker, messageId, standing } = posting;
    const api = await options.apiOf(place.workspaceId);
    const spot = await places.find(place.workspaceId, place.conversationId);
    const files = standing.withoutPictures ? new Map<string, string>() : await preparePictures(api, posting);
    const rendered = renderReply(reply, {
      fileOf: (pictureId) => files.get(pictureId),
      sectionUrl: options.sectionUrl,
      plain: standing.plain,
      messageKey: String(messageId),
    });
    await Promise.all(
      rendered.kept.map(({ name, value }) => engine.kept.put(place.workspaceId, partKind, name, value)),
    );
    if (reply.audience === 'asker' && !isDirect(spot.channel)) {
      for (const page of rendered.pages) await whisper(api, spot, page, asker);
      return;
    }
    if (await stream(api, posting, spot)) return;
    await writePublic(api, posting, spot, rendered.pages);
  }

  /** In its own view a long answer comes word by word, where Slack has that. @returns whether it stands there now. */
  async function stream(
    api: SlackApi,
    { place, reply, asker, messageId, standing }: Posting,
    spot: Spot,
  ): Promise<boolean> {
    const { channel, threadTs } = spot;
    if (threadTs === undefined || !isDirect(channel) || standing.ts.length > 0) return false;
    const answer = standing.whole || standing.unsure ? undefined : readStreamable(reply);
    if (answer === undefined) return false;
    const rest = renderReply(answer.rest, {
      fileOf: () => undefined,
      sectionUrl: options.sectionUrl,
      messageKey: String(messageId),
    });
    if (rest.pages.length > 1) return false;
    const target = { channel, threadTs, workspaceId: place.workspaceId, personId: asker.id };
    const last = { blocks: rest.pages[0]?.blocks ?? [], metadata: markOf(`${messageId}.0`) };
    try {
      const found = lookedUp(answer.sources, options.sectionUrl);
      standing.ts.push(await streamAnswer(api, target, { pieces: answer.pieces, found }, last));
    } catch (error) {
      if (!(error instanceof SlackProblem) || error.trouble === 'credentials') throw error;
      log.debug({ err: error }, 'an answer could not be streamed; it is posted whole');
      standing.whole = true;
      return false;
    }
    await engine.conversations.setExternalId(place, messageId, standing.ts.join(','));
    return true;
  }

  async function writePublic(api: SlackApi, posting: Posting, begun: Spot, pages: readonly Page[]) {
    const { place, standing } = posting;
    let spot = begun;
    const heading = await headingFor(posting, spot);
    for (const [index, page] of pages.entries()) {
      const ts = standing.ts[index];
      const shown = index === 0 && heading !== undefined ? headed(page, heading) : page;
      const target = { channel: spot.channel, text: shown.text, blocks: shown.blocks };
      if (ts !== undefined) {
        await change(api, { ...target, ts });
        continue;
      }
      const mark = `${posting.messageId}.${index}`;
      const posted =
        (standing.unsure ? await findPosted(api, spot, mark) : undefined) ?? (await post(api, spot, target, mark));
      standing.ts.push(posted);
      await engine.conversations.setExternalId(place, posting.messageId, standing.ts.join(','));
      if (spot.begins) {
        await places.begin(place.workspaceId, place.conversationId, posted);
        spot = await places.find(place.workspaceId, place.conversationId);
      }
    }
    for (const ts of standing.ts.splice(pages.length)) await remove(api, spot.channel, ts);
  }

  async function post(api: SlackApi, spot: Spot, target: Fields, mark: string): Promise<string> {
    const answer = await api.call('chat.postMessage', {
      ...target,
      ...(spot.threadTs === undefined ? {} : { thread_ts: spot.threadTs }),
      unfurl_links: false,
      unfurl_media: false,
      metadata: markOf(mark),
    });
    if (typeof answer.ts !== 'string') throw new SlackProblem('chat.postMessage', 'no ts came back', 'unsure');
    return answer.ts;
  }

  async function change(api: SlackApi, target: Fields) {
    try {
      await api.call('chat.update', target);
    } catch (error) {
      // Somebody deleted it: nobody wants to see it, so it is not posted again.
      if (!(error instanceof SlackProblem && error.code === 'message_not_found')) throw error;
      log.debug({ target: target.ts }, 'a message of ours has been deleted');
    }
  }

  async function remove(api: SlackApi, channel: string, ts: string) {
    await api.call('chat.delete', { channel, ts }).catch((error: unknown) => {
      if (!(error instanceof SlackProblem && error.code === 'message_not_found')) throw error;
    });
  }

  /** After a call without an answer: whether the message stands there, by the mark it carries. */
  async function findPosted(api: SlackApi, spot: Spot, mark: string): Promise<string | undefined> {
    const asked = { channel: spot.channel, include_all_metadata: true, limit: 50 };
    const answer =
      spot.threadTs === undefined
        ? await api.call('conversations.history', asked)
        : await api.call('conversations.replies', { ...asked, ts: spot.threadTs });
    return marked.parse(answer).messages.find((message) => message.metadata?.event_payload?.mark === mark)?.ts;
  }

  async function whisper(api: SlackApi, spot: Spot, page: Page, asker: Person) {
    await api.call('chat.postEphemeral', {
      channel: spot.channel,
      user: asker.id,
      text: page.text,
      blocks: page.blocks,
      ...(spot.threadTs === undefined ? {} : { thread_ts: spot.threadTs }),
    });
  }

  /** A slash command is seen by nobody else: the message that begins its thread says what was asked. */
  async function headingFor({ place, standing }: Posting, spot: Spot): Promise<string | undefined> {
    if (!place.conversationId.includes(':~')) return undefined;
    const isRoot = spot.begins || (standing.ts[0] !== undefined && standing.ts[0] === spot.threadTs);
    if (!isRoot) return undefined;
    const heading = await engine.kept.get(place.workspaceId, headingKind, place.conversationId);
    return typeof heading === 'string' ? heading : undefined;
  }

  function preparePictures(api: SlackApi, { place, reply, messageId, saidAtMs }: Posting) {
    const pictures = reply.blocks.filter(
      (block): block is Extract<Block, { kind: 'picture' }> => block.kind === 'picture',
    );
    if (pictures.length === 0) return new Map<string, string>();
    return charts.prepare({
      api,
      workspaceId: place.workspaceId,
      messageId: String(messageId),
      pictures,
      live: reply.blocks.some((block) => block.kind === 'progress'),
      postedAtMs: saidAtMs,
    });
  }

  return { deliver, resume, drain: () => queue.drain() };
}

/** By it a message is found again whose answer was lost. */
const markOf = (mark: string) => ({ event_type: 'finetutor_message', event_payload: { mark } });

const marked = z.object({
  messages: z.array(
    z.object({
      ts: z.string(),
      metadata: z.object({ event_payload: z.object({ mark: z.string().optional() }).optional() }).optional(),
    }),
  ),
});

/** Blocks that were refused: a picture may need a moment more; else without pictures, else in the oldest blocks. */
function simplify(error: SlackProblem, reply: Reply, standing: Standing): { readonly waitMs: number } | undefined {
  if (
    error.method === 'files.getUploadURLExternal' ||
    error.method === 'files.completeUploadExternal' ||
    error.method === 'upload'
  ) {
    if (error.trouble === 'unsure' || error.trouble === 'wait' || standing.withoutPictures) return undefined;
    standing.withoutPictures = true;
    return { waitMs: 0 };
  }
  if (error.code !== 'invalid_blocks' && error.code !== 'invalid_blocks_format') return undefined;
  const pictures = reply.blocks.some((block) => block.kind === 'picture') && !standing.withoutPictures;
  if (pictures && standing.pictureTries < 3) {
    standing.pictureTries += 1;
    return { waitMs: 500 * 2 ** standing.pictureTries };
  }
  if (!standing.plain) {
    standing.plain = true;
    return { waitMs: 0 };
  }
  if (!pictures) return undefined;
  standing.withoutPictures = true;
  return { waitMs: 0 };
}

function headed(page: Page, heading: string): Page {
  const line: SlackBlock = { type: 'context', elements: [mrkdwn(escapeMrkdwn(cut(heading, 600)))] };
  return { text: page.text, blocks: [line, ...page.blocks] };
}

/** What a person can do about a refusal; undefined where they can do nothing. */
function explain(problem: SlackProblem, place: Place): string | undefined {
  const [channel = ''] = place.conversationId.split(':');
  switch (problem.code) {
    case 'not_in_channel':
    case 'channel_not_found':
      return `I can't write in <#${channel}>: I am not a member there. Invite me with \`/invite @Finetutor\`, then say it again. Or write to me directly.`;
    case 'missing_scope':
      return `I need the permission *${problem.needed ?? 'to do this'}*. Whoever manages the app can add it under *OAuth & Permissions* and reinstall it.`;
    case 'is_archived':
      return `<#${channel}> is archived. Write to me directly, or in another channel.`;
    case 'restricted_action':
    case 'restricted_action_read_only_channel':
    case 'restricted_action_thread_only_channel':
    case 'restricted_action_non_threadable_channel':
    case 'restricted_action_thread_locked':
      return `This workspace does not let me write in <#${channel}>. Write to me directly.`;
    case 'user_not_in_channel':
      return 'I can show this only to members of that channel.';
    default:
      return undefined;
  }
}
