// A long answer in the app's own view, streamed: its words come piece by piece, then sources and buttons under them.
import type { Block, Reply } from '../../chat/message.ts';
import { splitMarkdown } from '../split.ts';
import type { Fields, SlackApi } from './api.ts';
import type { SlackBlock } from './blocks.ts';
import { limits } from './limits.ts';
import { quiet } from './markdown.ts';

/** An answer shorter than this is there at once. */
const shortest = 500;
const piece = 400;

export interface Streamable {
  readonly pieces: readonly string[];
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
  const rest = { ...reply, blocks: end === -1 ? [] : reply.blocks.slice(end) };
  return { pieces: splitMarkdown(markdown, piece).map(toStreamed), rest };
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

/** @returns the message's id. @throws SlackProblem; then nothing of it is left standing. */
export async function streamAnswer(
  api: SlackApi,
  { channel, threadTs, workspaceId, personId }: StreamTarget,
  pieces: readonly string[],
  last: { readonly blocks: readonly SlackBlock[]; readonly metadata: Fields },
): Promise<string> {
  const [first = '', ...others] = pieces;
  const started = await api.call('chat.startStream', {
    channel,
    thread_ts: threadTs,
    recipient_team_id: workspaceId,
    recipient_user_id: personId,
    markdown_text: first,
  });
  const ts = String(started.ts);
  try {
    for (const words of others) await api.call('chat.appendStream', { channel, ts, markdown_text: `\n\n${words}` });
    await api.call('chat.stopStream', {
      channel,
      ts,
      ...(last.blocks.length === 0 ? {} : { blocks: last.blocks }),
      metadata: last.metadata,
    });
  } catch (error) {
    await api.call('chat.delete', { channel, ts });
    throw error;
  }
  return ts;
}
