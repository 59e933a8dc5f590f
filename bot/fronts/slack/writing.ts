// One message into Slack: streamed, posted or changed part by part, or whispered to one person.
import { z } from 'zod';
import type { Engine } from '../../../engine/index.ts';
import type { Block, Person } from '../../chat/message.ts';
import { partKind } from './actions.ts';
import { type Fields, type SlackApi, SlackProblem } from './api.ts';
import { mrkdwn, type SlackBlock } from './blocks.ts';
import type { RenderOptions } from './drawing.ts';
import { cut } from './limits.ts';
import { escapeMrkdwn } from './markdown.ts';
import { headingKind, isDirect, type Places, type Spot } from './places.ts';
import type { Posting } from './posting.ts';
import { type Page, renderReply } from './render.ts';
import { lookedUp, readStreamable, streamAnswer } from './stream.ts';
import type { Charts } from './uploads.ts';

export interface WritingOptions {
  readonly engine: Pick<Engine, 'conversations' | 'kept'>;
  /** @throws SlackProblem for a workspace that has not installed the app. */
  readonly apiOf: (workspaceId: string) => Promise<SlackApi>;
  readonly places: Places;
  readonly charts: Charts;
  readonly sectionUrl: RenderOptions['sectionUrl'];
  readonly log: { debug(fields: object, message: string): void };
}

/** @returns what writes a message as it is now. It throws a SlackProblem. */
export function createWriting(options: WritingOptions): (posting: Posting) => Promise<void> {
  const { engine, places, charts, log } = options;

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

  async function post(api: SlackApi, { threadTs }: Spot, target: Fields, mark: string): Promise<string> {
    const message = { ...target, unfurl_links: false, unfurl_media: false, metadata: markOf(mark) };
    const answer =
      threadTs === undefined
        ? await api.call('chat.postMessage', message)
        : await api.call('chat.postMessage', { ...message, thread_ts: threadTs }).catch((error: unknown) => {
            // The message it answers has been deleted.
            if (!(error instanceof SlackProblem && error.code === 'thread_not_found')) throw error;
            return api.call('chat.postMessage', message);
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

  return writePages;
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

function headed(page: Page, heading: string): Page {
  const line: SlackBlock = { type: 'context', elements: [mrkdwn(escapeMrkdwn(cut(heading, 600)))] };
  return { text: page.text, blocks: [line, ...page.blocks] };
}
