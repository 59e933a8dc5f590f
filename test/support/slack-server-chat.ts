// chat.*: messages of the bot, posted, changed, taken away and streamed.
import {
  blocksOf,
  checkContent,
  type Failure,
  fail,
  findPlace,
  giveIds,
  type Method,
  type MethodContext,
  post,
  toMessage,
} from './slack-server-method.ts';
import { checkBlocks, type Fields, findPings } from './slack-server-rules.ts';
import { fieldsOf, type Message, words } from './slack-server-world.ts';

const content = ['channel', 'text', 'blocks', 'attachments', 'markdown_text', 'metadata', 'parse', 'link_names'];

/** One of the bot's own messages, to change it. */
function findOwn(args: Fields, { world, violations }: MethodContext, refusal: string): Message | Failure {
  if (!world.channels.has(words(args.channel))) return fail('channel_not_found');
  const message = world.find(words(args.channel), words(args.ts));
  if (message === undefined || message.visibleTo !== undefined) return fail('message_not_found');
  if (message.user !== world.botUserId) {
    violations.push('it tried to change the message of somebody else');
    return fail(refusal);
  }
  return message;
}

const chunkFields: { readonly [type: string]: readonly string[] } = {
  markdown_text: ['type', 'text'],
  task_update: ['type', 'id', 'title', 'status', 'details', 'output', 'sources'],
  plan_update: ['type', 'title'],
  blocks: ['type', 'blocks'],
};

/** A task of a stream stands in the message as a card; told of again, it changes there. */
function showTask(message: Message, chunk: Fields, { violations }: MethodContext): boolean {
  const rich = (value: unknown) => ({
    type: 'rich_text',
    elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: words(value) }] }],
  });
  const card = {
    type: 'task_card',
    task_id: chunk.id,
    block_id: `task:${words(chunk.id)}`,
    title: chunk.title,
    status: chunk.status,
    ...(chunk.details === undefined ? {} : { details: rich(chunk.details) }),
    ...(chunk.output === undefined ? {} : { output: rich(chunk.output) }),
    ...(chunk.sources === undefined ? {} : { sources: chunk.sources }),
  };
  const problems = checkBlocks([card], 'message');
  violations.push(...problems.map((problem) => `chunks: ${problem}`));
  const others = message.blocks.filter((block) => block.block_id !== card.block_id);
  message.blocks = [...others, card];
  return problems.length === 0;
}

function appendChunks(message: Message, args: Fields, context: MethodContext): Failure | undefined {
  const chunks = fieldsOf(args.chunks);
  if (args.chunks !== undefined && args.markdown_text !== undefined) return fail('markdown_text_conflict');
  for (const chunk of chunks) {
    const fields = chunkFields[words(chunk.type)];
    const unknown = Object.keys(chunk).filter((name) => fields?.includes(name) === false);
    if (fields === undefined || unknown.length > 0) {
      context.violations.push(`chunks: ${String(chunk.type)} ${unknown.join(', ')}`);
      return fail('invalid_chunks');
    }
    if (chunk.type === 'task_update' && !showTask(message, chunk, context)) return fail('invalid_chunks');
  }
  const added = [
    words(args.markdown_text),
    ...chunks.filter((chunk) => chunk.type === 'markdown_text').map((chunk) => words(chunk.text)),
  ].join('');
  if (added.length > 12_000) return fail('msg_too_long');
  const pings = findPings(added);
  if (pings.length > 0) context.violations.push(`it notifies people: ${pings.join(' ')}`);
  message.text += added;
  const rest = message.blocks.filter((block) => block.block_id !== 'stream');
  if (message.text !== '') message.blocks = [{ type: 'markdown', text: message.text, block_id: 'stream' }, ...rest];
  return undefined;
}

function findStream(args: Fields, context: MethodContext): Message | Failure {
  const message = findOwn(args, context, 'message_not_owned_by_app');
  if ('ok' in message) return message;
  return message.streaming ? message : fail('message_not_in_streaming_state');
}

export const chatMethods: { readonly [name: string]: Method } = {
  'chat.postMessage': {
    args: [...content, 'thread_ts', 'reply_broadcast', 'unfurl_links', 'unfurl_media', 'mrkdwn'],
    required: ['channel'],
    scope: 'chat:write',
    run(args, context) {
      const refused = findPlace(args, context) ?? checkContent(args, context);
      if (refused !== undefined) return refused;
      const message = post(args, context);
      return { ok: true, channel: message.channel, ts: message.ts, message: toMessage(message) };
    },
  },
  'chat.postEphemeral': {
    args: [...content.filter((name) => name !== 'metadata'), 'user', 'thread_ts'],
    required: ['channel', 'user'],
    scope: 'chat:write',
    run(args, context) {
      const refused = findPlace(args, context) ?? checkContent(args, context);
      if (refused !== undefined) return refused;
      const user = words(args.user);
      if (!context.world.channels.get(words(args.channel))?.members.has(user)) return fail('user_not_in_channel');
      return { ok: true, message_ts: post(args, context, { visibleTo: user }).ts };
    },
  },
  'chat.update': {
    args: [...content, 'ts', 'reply_broadcast', 'file_ids'],
    required: ['channel', 'ts'],
    scope: 'chat:write',
    run(args, context) {
      const message = findOwn(args, context, 'cant_update_message');
      if ('ok' in message) return message;
      if (message.streaming) return fail('streaming_state_conflict');
      const refused = checkContent(args, context);
      if (refused !== undefined) return refused;
      message.text = words(args.text ?? args.markdown_text);
      message.blocks = blocksOf(args);
      message.edits += 1;
      return { ok: true, channel: message.channel, ts: message.ts, text: message.text, message: toMessage(message) };
    },
  },
  'chat.delete': {
    args: ['channel', 'ts'],
    required: ['channel', 'ts'],
    scope: 'chat:write',
    run(args, context) {
      const message = findOwn(args, context, 'cant_delete_message');
      if ('ok' in message) return message;
      message.deleted = true;
      return { ok: true, channel: message.channel, ts: message.ts };
    },
  },
  'chat.startStream': {
    args: [
      'channel',
      'thread_ts',
      'markdown_text',
      'chunks',
      'recipient_team_id',
      'recipient_user_id',
      'task_display_mode',
    ],
    required: ['channel', 'thread_ts'],
    scope: 'chat:write',
    run(args, context) {
      const refused = findPlace(args, context);
      if (refused !== undefined) return refused;
      if (!context.world.channels.get(words(args.channel))?.isIm) {
        if (args.recipient_user_id === undefined) return fail('missing_recipient_user_id');
        if (args.recipient_team_id === undefined) return fail('missing_recipient_team_id');
      }
      const message = post({ channel: args.channel, thread_ts: args.thread_ts }, context, { streaming: true });
      const wrong = appendChunks(message, args, context);
      if (wrong !== undefined) {
        message.deleted = true;
        return wrong;
      }
      return { ok: true, channel: message.channel, ts: message.ts };
    },
  },
  'chat.appendStream': {
    args: ['channel', 'ts', 'markdown_text', 'chunks'],
    required: ['channel', 'ts'],
    scope: 'chat:write',
    run(args, context) {
      const message = findStream(args, context);
      if ('ok' in message) return message;
      return appendChunks(message, args, context) ?? { ok: true, channel: message.channel, ts: message.ts };
    },
  },
  'chat.stopStream': {
    args: ['channel', 'ts', 'markdown_text', 'chunks', 'blocks', 'metadata'],
    required: ['channel', 'ts'],
    scope: 'chat:write',
    run(args, context) {
      const message = findStream(args, context);
      if ('ok' in message) return message;
      const problems = args.blocks === undefined ? [] : checkBlocks(args.blocks, 'message');
      if (problems.length > 0) {
        context.violations.push(...problems.map((problem) => `blocks: ${problem}`));
        return fail('invalid_blocks', problems);
      }
      const wrong = appendChunks(message, args, context);
      if (wrong !== undefined) return wrong;
      message.blocks = [...message.blocks, ...giveIds(fieldsOf(args.blocks))];
      message.metadata = args.metadata;
      message.streaming = false;
      return { ok: true, channel: message.channel, ts: message.ts, message: toMessage(message) };
    },
  },
};
