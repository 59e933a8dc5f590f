// The Web API methods a bot calls, with the arguments each takes, what they do, and Slack's own error codes.
import { chatMethods } from './slack-server-chat.ts';
import {
  type Call,
  fail,
  findPlace,
  type Method,
  type MethodContext,
  post,
  type Result,
  toFile,
  toMessage,
} from './slack-server-method.ts';
import type { Fields } from './slack-server-rules.ts';
import { viewMethods } from './slack-server-views.ts';
import { fieldsOf, type Message, readBlocks, type UploadedFile, words } from './slack-server-world.ts';

export const methods: { readonly [name: string]: Method } = {
  'auth.test': { args: [], run: (_args, { authTest }, { token }) => authTest(token ?? '') },
  'apps.connections.open': {
    args: [],
    token: 'app',
    run: (_args, { openSocketUrl }) => ({ ok: true, url: openSocketUrl() }),
  },
  ...chatMethods,
  ...viewMethods,
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
