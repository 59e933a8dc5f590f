// A long answer in the app's own view, streamed: its words come piece by piece, then sources and buttons under them.
import type { Block, Reply, SourceLink } from '../../chat/message.ts';
import { splitMarkdown } from '../split.ts';
import type { Fields, SlackApi } from './api.ts';
import type { SlackBlock } from './blocks.ts';
import { cut, limits } from './limits.ts';
import { isLocal } from './links.ts';
import { quiet } from './markdown.ts';

/** An answer shorter than this is there at once. */
const shortest = 500;
const piece = 400;

export interface Streamable {
  readonly pieces: readonly string[];
  /** Where it stands in the guide. */
  readonly sources: readonly SourceLink[];
  /** What comes after the words. */
  readonly rest: Reply;
}

/** @returns undefined for what is better posted whole: what is edited later, private, short, or no text. */
export function readStreamable(reply: Reply): Streamable | undefined {
  if (reply.slot !== undefined || reply.audience !== 'everyone') return undefined;
  const end = reply.blocks.findIndex((block) => block.kind !== 'text');
  const texts = end === -1 ? reply.blocks : reply.blocks.slice(0, end);
  const markdown = texts.flatMap((block) => (isText(block) ? block.markdown : [])).join('\n\n');
  if (markdown.length < shortest || markdown.length > limits.streamedMarkdown) return undefined;
  const sources = reply.blocks.flatMap((block) => (block.kind === 'sources' ? block.sources : []));
  const rest = { ...reply, blocks: end === -1 ? [] : reply.blocks.slice(end) };
  return { pieces: splitMarkdown(markdown, piece).map(toStreamed), sources, rest };
}

const isText = (block: Block): block is Extract<Block, { kind: 'text' }> => block.kind === 'text';

/** Standard markdown, as Slack takes it in streams; nothing in it is a mention or a command. */
const toStreamed = (markdown: string) => quiet(markdown.replaceAll('\\<', '&lt;').replaceAll('\\>', '&gt;'));

export interface StreamTarget {
  readonly channel: string;
  readonly threadTs: string;
  readonly workspaceId: string;
  readonly personId: string;
}

/** A step of the answer, shown as a card in it: a stream begins with it and completes it at the end. */
type TaskUpdate = {
  readonly type: 'task_update';
  readonly id: string;
  readonly title: string;
  readonly status: 'in_progress' | 'complete';
  readonly details?: string;
  readonly sources?: readonly { readonly type: 'url'; readonly url: string; readonly text: string }[];
};

const lookUp = { type: 'task_update', id: 'guide' } as const;

/** What was looked up, once it is found. @param urlOf a section's address; undefined where other people can't open it. */
export function lookedUp(
  sources: readonly SourceLink[],
  urlOf: (chapterId: string, sectionId: string) => string | undefined,
): TaskUpdate | undefined {
  if (sources.length === 0) return undefined;
  const links = sources.flatMap(({ chapterId, sectionId, title, document }) => {
    const url = document ? undefined : urlOf(chapterId, sectionId);
    return url === undefined || isLocal(url)
      ? []
      : [{ type: 'url' as const, url, text: cut(quiet(title), limits.buttonText) }];
  });
  return {
    ...lookUp,
    title: 'Looked it up in the guide',
    status: 'complete',
    details: sources.length === 1 ? 'One section answers it.' : `${sources.length} sections answer it.`,
    ...(links.length === 0 ? {} : { sources: links }),
  };
}

/** @returns the message's id. @throws SlackProblem; then nothing of it is left standing. */
export async function streamAnswer(
  api: SlackApi,
  { channel, threadTs, workspaceId, personId }: StreamTarget,
  { pieces, found }: { readonly pieces: readonly string[]; readonly found: TaskUpdate | undefined },
  last: { readonly blocks: readonly SlackBlock[]; readonly metadata: Fields },
): Promise<string> {
  const [first = '', ...others] = pieces;
  const started = await api.call('chat.startStream', {
    channel,
    thread_ts: threadTs,
    recipient_team_id: workspaceId,
    recipient_user_id: personId,
    ...(found === undefined
      ? { markdown_text: first }
      : {
          task_display_mode: 'timeline',
          chunks: [
            { ...lookUp, title: 'Looking it up in the guide', status: 'in_progress' },
            { type: 'markdown_text', text: first },
          ],
        }),
  });
  const ts = String(started.ts);
  try {
    for (const words of others) await api.call('chat.appendStream', { channel, ts, markdown_text: `\n\n${words}` });
    await api.call('chat.stopStream', {
      channel,
      ts,
      ...(found === undefined ? {} : { chunks: [found] }),
      ...(last.blocks.length === 0 ? {} : { blocks: last.blocks }),
      metadata: last.metadata,
    });
  } catch (error) {
    await api.call('chat.delete', { channel, ts });
    throw error;
  }
  return ts;
}
