// The Web API methods a bot calls, with the arguments each takes, what they do, and Slack's own error codes.
import { checkBlocks, checkView, type Fields, findPings, type Problems } from './slack-server-rules.ts';
import {
  fieldsOf,
  isFields,
  type Message,
  newMessage,
  readBlocks,
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

interface Method {
  readonly args: readonly string[];
  readonly required?: readonly string[];
  readonly scope?: string;
  /** `app`: an app-level token; `none`: no token. */
  readonly token?: 'app' | 'none';
  readonly run: (args: Fields, context: MethodContext, call: Call) => Result;
}

const fail = (error: string, messages: readonly string[] = []): Failure => ({
  ok: false,
  error,
  ...(messages.length === 0 ? {} : { response_metadata: { messages: messages.map((one) => `[ERROR] ${one}`) } }),
});

const content = ['channel', 'text', 'blocks', 'attachments', 'markdown_text', 'metadata', 'parse', 'link_names'];

/** Refuses text and blocks as Slack does, and notes what would notify somebody. */
function checkContent(args: Fields, context: MethodContext): Failure | undefined {
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
function findPlace(args: Fields, { world }: MethodContext): Failure | undefined {
  const channel = world.channels.get(words(args.channel ?? args.channel_id));
  if (channel === undefined) return fail('channel_not_found');
  if (!channel.members.has(world.botUserId)) return fail('not_in_channel');
  if (args.thread_ts !== undefined && world.find(channel.id, words(args.thread_ts)) === undefined) {
    return fail('thread_not_found');
  }
  return undefined;
}

function post(args: Fields, { world }: MethodContext, more: Partial<Message> = {}): Message {
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

const blocksOf = (args: Fields): readonly Fields[] =>
  args.markdown_text === undefined
    ? giveIds(fieldsOf(args.blocks))
    : [{ type: 'markdown', text: words(args.markdown_text), block_id: 'm0' }];

let blockIds = 0;
/** Slack gives a block an id where the sender gave none. */
function giveIds(blocks: readonly Fields[]): readonly Fields[] {
  return blocks.map((block) => (block.block_id === undefined ? { ...block, block_id: `b${++blockIds}` } : block));
}

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

const toMessage = (message: Message) => ({
  type: 'message',
  user: message.user,
  ts: message.ts,
  text: message.text,
  blocks: message.blocks,
  ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
  ...(message.metadata === undefined ? {} : { metadata: message.metadata }),
});

function useTrigger(triggerId: unknown, { triggers, nowMs }: MethodContext): Failure | { user: string } {
  const trigger = triggers.get(words(triggerId));
  if (trigger === undefined) return fail('invalid_trigger_id');
  if (trigger.used) return fail('exchanged_trigger_id');
  if (nowMs() > trigger.expiresMs) return fail('expired_trigger_id');
  trigger.used = true;
  return { user: trigger.user };
}

function refuseView(view: unknown, context: MethodContext): Failure | undefined {
  const problems = checkView(view);
  if (problems.length === 0) return undefined;
  context.violations.push(...problems.map((problem) => `view: ${problem}`));
  return fail('invalid_arguments', problems);
}

function toView(view: { id: string; hash: string; content: Fields }, { world }: MethodContext) {
  return { ...view.content, id: view.id, hash: view.hash, team_id: world.teamId, app_id: world.appId };
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

export const methods: { readonly [name: string]: Method } = {
  'auth.test': { args: [], run: (_args, { authTest }, { token }) => authTest(token ?? '') },
  'apps.connections.open': {
    args: [],
    token: 'app',
    run: (_args, { openSocketUrl }) => ({ ok: true, url: openSocketUrl() }),
  },
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
  'views.open': {
    args: ['trigger_id', 'view'],
    required: ['trigger_id', 'view'],
    run(args, context) {
      const trigger = useTrigger(args.trigger_id, context);
      if ('ok' in trigger) return trigger;
      const refused = refuseView(args.view, context);
      if (refused !== undefined || !isFields(args.view)) return refused ?? fail('invalid_arguments');
      const view = {
        id: context.world.nextId('V'),
        user: trigger.user,
        hash: context.world.nextId('h'),
        content: { ...args.view, blocks: giveIds(fieldsOf(args.view.blocks)) },
        open: true,
        state: {},
      };
      context.world.views.set(view.id, view);
      return { ok: true, view: toView(view, context) };
    },
  },
  'views.update': {
    args: ['view_id', 'external_id', 'view', 'hash'],
    required: ['view'],
    run(args, context) {
      const view = context.world.views.get(words(args.view_id));
      if (view === undefined || !view.open) return fail('not_found');
      if (args.hash !== undefined && args.hash !== view.hash) return fail('hash_conflict');
      const refused = refuseView(args.view, context);
      if (refused !== undefined || !isFields(args.view)) return refused ?? fail('invalid_arguments');
      view.content = { ...args.view, blocks: giveIds(fieldsOf(args.view.blocks)) };
      view.hash = context.world.nextId('h');
      return { ok: true, view: toView(view, context) };
    },
  },
  'views.publish': {
    args: ['user_id', 'view', 'hash'],
    required: ['user_id', 'view'],
    run(args, context) {
      if (!context.world.people.has(words(args.user_id))) return fail('invalid_arguments', ['no such user']);
      const refused = refuseView(args.view, context);
      if (refused !== undefined || !isFields(args.view)) return refused ?? fail('invalid_arguments');
      const content = { ...args.view, blocks: giveIds(fieldsOf(args.view.blocks)) };
      context.world.homes.set(words(args.user_id), content);
      return { ok: true, view: { ...content, id: `VH${words(args.user_id)}`, hash: 'h' } };
    },
  },
  'users.info': {
    args: ['user', 'include_locale'],
    required: ['user'],
    scope: 'users:read',
    run({ user }, { world }) {
      const person = world.people.get(words(user));
      if (person === undefined) return fail('user_not_found');
      const profile = { display_name: person.name, real_name: person.name };
      return {
        ok: true,
        user: { id: person.id, name: person.name.toLowerCase(), profile, is_bot: false, deleted: false },
      };
    },
  },
  'conversations.open': {
    args: ['users', 'channel', 'return_im', 'prevent_creation'],
    scope: 'im:write',
    run({ users }, { world }) {
      if (!world.people.has(words(users))) return fail('user_not_found');
      return { ok: true, channel: { id: world.im(words(users)).id } };
    },
  },
  'conversations.info': {
    args: ['channel', 'include_locale', 'include_num_members'],
    required: ['channel'],
    run({ channel }, { world }) {
      const found = world.channels.get(words(channel));
      if (found === undefined) return fail('channel_not_found');
      return {
        ok: true,
        channel: { id: found.id, name: found.name, is_im: found.isIm, is_member: found.members.has(world.botUserId) },
      };
    },
  },
  'conversations.history': {
    args: ['channel', 'cursor', 'include_all_metadata', 'inclusive', 'latest', 'limit', 'oldest'],
    required: ['channel'],
    run({ channel }, { world }) {
      if (!world.channels.has(words(channel))) return fail('channel_not_found');
      const shown = world.messages.filter(
        (one) => one.channel === channel && one.visibleTo === undefined && one.threadTs === undefined && !one.deleted,
      );
      return { ok: true, messages: shown.toReversed().slice(0, 100).map(toMessage), has_more: false };
    },
  },
  'conversations.replies': {
    args: ['channel', 'ts', 'cursor', 'include_all_metadata', 'inclusive', 'latest', 'limit', 'oldest'],
    required: ['channel', 'ts'],
    run({ channel, ts }, { world }) {
      const root = world.find(words(channel), words(ts));
      if (root === undefined) return fail('thread_not_found');
      const thread = world.messages.filter(
        (one) => one.channel === root.channel && one.visibleTo === undefined && (one.threadTs ?? one.ts) === root.ts,
      );
      return { ok: true, messages: thread.map(toMessage), has_more: false };
    },
  },
  'files.getUploadURLExternal': {
    args: ['filename', 'length', 'alt_txt', 'snippet_type'],
    required: ['filename', 'length'],
    scope: 'files:write',
    run(args, { world, baseUrl }) {
      const file: UploadedFile = {
        id: world.nextId('F'),
        name: words(args.filename),
        bytes: Number(args.length),
        content: undefined,
        complete: false,
        deleted: false,
        altText: typeof args.alt_txt === 'string' ? args.alt_txt : undefined,
      };
      if (!(file.bytes > 0)) return fail('invalid_arguments', ['length: must be above 0']);
      world.files.set(file.id, file);
      return { ok: true, file_id: file.id, upload_url: `${baseUrl()}/upload/${file.id}` };
    },
  },
  'files.completeUploadExternal': {
    args: ['files', 'channel_id', 'channels', 'thread_ts', 'initial_comment', 'blocks'],
    required: ['files'],
    scope: 'files:write',
    run(args, context) {
      const { world, violations } = context;
      const uploaded: UploadedFile[] = [];
      for (const { id } of fieldsOf(args.files)) {
        const file = world.files.get(words(id));
        if (file === undefined || file.content === undefined) return fail('file_not_found');
        if (file.content.length !== file.bytes)
          violations.push(`${file.name}: ${file.content.length} of ${file.bytes} bytes`);
        if (file.complete) return fail('file_update_failed');
        uploaded.push(file);
      }
      if (args.channel_id !== undefined) {
        const refused = findPlace(args, context);
        if (refused !== undefined) return refused;
        post({ channel: args.channel_id, text: args.initial_comment, thread_ts: args.thread_ts }, context, {
          files: uploaded,
        });
      }
      for (const file of uploaded) file.complete = true;
      return { ok: true, files: uploaded.map(({ id, name }) => ({ id, title: name })) };
    },
  },
  'files.info': {
    args: ['file', 'cursor', 'limit'],
    required: ['file'],
    scope: 'files:read',
    run({ file }, { world, baseUrl }) {
      const found = world.files.get(words(file));
      return found === undefined || found.deleted
        ? fail('file_not_found')
        : { ok: true, file: toFile(found, baseUrl()) };
    },
  },
  'files.delete': {
    args: ['file'],
    required: ['file'],
    scope: 'files:write',
    run({ file }, { world }) {
      const found = world.files.get(words(file));
      if (found === undefined || found.deleted) return fail('file_not_found');
      found.deleted = true;
      return { ok: true };
    },
  },
  'assistant.threads.setStatus': {
    args: ['channel_id', 'thread_ts', 'status', 'loading_messages'],
    required: ['channel_id', 'thread_ts', 'status'],
    scope: 'chat:write',
    run: (args, context) => findPlace(args, context) ?? { ok: true },
  },
  'assistant.threads.setTitle': {
    args: ['channel_id', 'thread_ts', 'title'],
    required: ['channel_id', 'thread_ts', 'title'],
    scope: 'assistant:write',
    run: (args, context) => findPlace(args, context) ?? { ok: true },
  },
  'assistant.threads.setSuggestedPrompts': {
    args: ['channel_id', 'thread_ts', 'prompts', 'title'],
    required: ['channel_id', 'prompts'],
    scope: 'assistant:write',
    run(args, context) {
      const prompts = fieldsOf(args.prompts);
      if (prompts.length === 0 || prompts.length > 4) return fail('invalid_arguments', ['prompts: 1 to 4']);
      return findPlace(args, context) ?? { ok: true };
    },
  },
  'functions.completeSuccess': {
    args: ['function_execution_id', 'outputs'],
    required: ['function_execution_id', 'outputs'],
    run: (args, context) => complete(args, context, { outputs: args.outputs }),
  },
  'functions.completeError': {
    args: ['function_execution_id', 'error'],
    required: ['function_execution_id', 'error'],
    run: (args, context) => complete(args, context, { error: args.error }),
  },
  'oauth.v2.access': {
    args: ['client_id', 'client_secret', 'code', 'redirect_uri', 'grant_type', 'refresh_token'],
    required: ['client_id', 'client_secret'],
    token: 'none',
    run({ code, grant_type, refresh_token }, { grants }) {
      // Both serve once.
      const traded = grant_type === 'refresh_token' ? words(refresh_token) : words(code);
      const grant = grants.get(traded);
      if (grant === undefined) return fail(grant_type === 'refresh_token' ? 'invalid_refresh_token' : 'invalid_code');
      grants.delete(traded);
      return { ok: true, ...grant };
    },
  },
};

function complete(args: Fields, { executions }: MethodContext, outcome: Fields): Result {
  const execution = executions.get(words(args.function_execution_id));
  if (execution === undefined) return fail('function_execution_not_found');
  if (execution.outcome !== undefined) return fail('execution_not_in_running_state');
  execution.outcome = outcome;
  return { ok: true };
}

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

/** What a server of the least ambition has. */
const frugalMethods = new Set([
  'apps.connections.open',
  'auth.test',
  'chat.delete',
  'chat.postEphemeral',
  'chat.postMessage',
  'chat.update',
  'conversations.open',
  'views.open',
]);
const frugalBlocks = new Set(['section', 'divider', 'context', 'actions', 'header', 'input']);

/** Checks the call itself, then does it. */
export function runMethod(call: Call, context: MethodContext): Result {
  const method = methods[call.method];
  if (context.frugal && !frugalMethods.has(call.method)) return fail('unknown_method');
  if (method === undefined) {
    context.violations.push(`${call.method}: unknown method`);
    return fail('unknown_method');
  }
  for (const name of Object.keys(call.args)) {
    if (name === 'team_id' || name === 'token' || method.args.includes(name)) continue;
    context.violations.push(`${call.method}: unknown argument ${name}`);
    return fail('invalid_arguments', [`unknown argument ${name}`]);
  }
  const missing = (method.required ?? []).filter((name) => call.args[name] === undefined);
  if (missing.length > 0) {
    context.violations.push(`${call.method}: without ${missing.join(', ')}`);
    return fail(
      'invalid_arguments',
      missing.map((name) => `missing required field: ${name}`),
    );
  }
  if (method.scope !== undefined && !context.scopes.has(method.scope)) {
    return { ...fail('missing_scope'), needed: method.scope, provided: [...context.scopes].join(',') };
  }
  return method.run(call.args, context, call);
}

export const readMessage = (message: Message): string =>
  [
    message.blocks.length > 0 ? readBlocks(message.blocks) : message.text,
    ...message.files.map((file) => `${file.name} ${file.altText ?? ''}`),
  ].join('\n');
