// What a method of Slack's Web API is for the protocol server, and what several of them share.
import { checkBlocks, type Fields, findPings, type Problems } from './slack-server-rules.ts';
import {
  fieldsOf,
  isFields,
  type Message,
  newMessage,
  type UploadedFile,
  type World,
  words,
} from './slack-server-world.ts';

export interface Call {
  readonly method: string;
  readonly args: Fields;
  readonly token: string | undefined;
}

export type Result = { readonly ok: true; readonly [name: string]: unknown } | Failure;
export interface Failure {
  readonly ok: false;
  readonly error: string;
  readonly [name: string]: unknown;
}

export interface MethodContext {
  readonly world: World;
  readonly baseUrl: () => string;
  readonly nowMs: () => number;
  /** Scopes of the bot's token. */
  readonly scopes: ReadonlySet<string>;
  /** What the product did wrong, in words: a test expects none. */
  readonly violations: string[];
  /** Trigger ids that have been given out, and until when they serve. */
  readonly triggers: Map<string, { readonly user: string; readonly expiresMs: number; used: boolean }>;
  /** Function executions that wait to be completed. */
  readonly executions: Map<string, { outcome: Fields | undefined }>;
  /** Grants of the OAuth flow: code, or refresh token → what it gives. */
  readonly grants: Map<string, Fields>;
  readonly openSocketUrl: () => string;
  readonly authTest: (token: string) => Result;
  /** It has the oldest methods and blocks only, and says no more than it must. */
  readonly frugal: boolean;
  /** Files that blocks can't show yet, though they are complete: how often that is still said. */
  slowFiles: number;
}

export interface Method {
  readonly args: readonly string[];
  readonly required?: readonly string[];
  readonly scope?: string;
  /** `app`: an app-level token; `none`: no token. */
  readonly token?: 'app' | 'none';
  readonly run: (args: Fields, context: MethodContext, call: Call) => Result;
}

export const fail = (error: string, messages: readonly string[] = []): Failure => ({
  ok: false,
  error,
  ...(messages.length === 0 ? {} : { response_metadata: { messages: messages.map((one) => `[ERROR] ${one}`) } }),
});

const frugalBlocks = new Set(['section', 'divider', 'context', 'actions', 'header', 'input']);

/** Refuses text and blocks as Slack does, and notes what would notify somebody. */
export function checkContent(args: Fields, context: MethodContext): Failure | undefined {
  if (context.frugal && fieldsOf(args.blocks).some(({ type }) => !frugalBlocks.has(words(type))))
    return fail('invalid_blocks');
  const problems: Problems = args.blocks === undefined ? [] : checkBlocks(args.blocks, 'message');
  for (const block of fieldsOf(args.blocks)) {
    if (block.type !== 'image' || !isFields(block.slack_file)) continue;
    const file = context.world.files.get(words(block.slack_file.id));
    if (file === undefined || !file.complete || file.deleted) problems.push('invalid slack file');
    else if (context.slowFiles > 0) {
      context.slowFiles -= 1;
      return fail('invalid_blocks', ['invalid slack file']);
    }
  }
  if (problems.length > 0) {
    context.violations.push(...problems.map((problem) => `blocks: ${problem}`));
    if (problems.some((problem) => problem.startsWith('msg_blocks_too_long'))) return fail('msg_blocks_too_long');
    return fail('invalid_blocks', problems);
  }
  if (args.markdown_text !== undefined && (args.text !== undefined || args.blocks !== undefined)) {
    return fail('markdown_text_conflict');
  }
  if (words(args.markdown_text).length > 12_000) return fail('msg_too_long');
  const empty =
    fieldsOf(args.blocks).length === 0 && words(args.markdown_text) === '' && words(args.text).trim() === '';
  if (empty) return fail('no_text');
  if (words(args.text).length > 40_000) context.violations.push('text: over 40,000 characters, it is cut off');
  if (args.text === undefined && args.markdown_text === undefined) {
    context.violations.push('a message with blocks and no text: nothing to read in a notification');
  }
  if (args.link_names === true || args.link_names === 'true' || args.parse === 'full') {
    context.violations.push('link_names or parse is on: names in it would notify people');
  }
  const pings = findPings([args.text, args.markdown_text, args.blocks]);
  if (pings.length > 0) context.violations.push(`it notifies people: ${pings.join(' ')}`);
  return undefined;
}

/** The channel the bot may write in, and the thread in it. */
export function findPlace(args: Fields, { world }: MethodContext): Failure | undefined {
  const channel = world.channels.get(words(args.channel ?? args.channel_id));
  if (channel === undefined) return fail('channel_not_found');
  if (!channel.members.has(world.botUserId)) return fail('not_in_channel');
  if (args.thread_ts !== undefined && world.find(channel.id, words(args.thread_ts)) === undefined) {
    return fail('thread_not_found');
  }
  return undefined;
}

export function post(args: Fields, { world }: MethodContext, more: Partial<Message> = {}): Message {
  const message = newMessage({
    ts: world.nextTs(),
    channel: words(args.channel),
    user: world.botUserId,
    threadTs: args.thread_ts === undefined ? undefined : words(args.thread_ts),
    text: words(args.text ?? args.markdown_text).slice(0, 40_000),
    blocks: blocksOf(args),
    metadata: args.metadata,
    ...more,
  });
  world.messages.push(message);
  return message;
}

export const blocksOf = (args: Fields): readonly Fields[] =>
  args.markdown_text === undefined
    ? giveIds(fieldsOf(args.blocks))
    : [{ type: 'markdown', text: words(args.markdown_text), block_id: 'm0' }];

let blockIds = 0;
/** Slack gives a block an id where the sender gave none. */
export function giveIds(blocks: readonly Fields[]): readonly Fields[] {
  return blocks.map((block) => (block.block_id === undefined ? { ...block, block_id: `b${++blockIds}` } : block));
}

export const toMessage = (message: Message) => ({
  type: 'message',
  user: message.user,
  ts: message.ts,
  text: message.text,
  blocks: message.blocks,
  ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
  ...(message.metadata === undefined ? {} : { metadata: message.metadata }),
});

export function toFile(file: UploadedFile, baseUrl: string): Fields {
  return {
    id: file.id,
    name: file.name,
    title: file.name,
    size: file.bytes,
    mode: 'hosted',
    filetype: file.name.split('.').at(-1) ?? '',
    mimetype: file.name.endsWith('.csv') ? 'text/csv' : 'application/octet-stream',
    url_private: `${baseUrl}/files/${file.id}/${encodeURIComponent(file.name)}`,
    url_private_download: `${baseUrl}/files/${file.id}/download/${encodeURIComponent(file.name)}`,
  };
}
