// Slack's Web API for tests: calls with their tokens, files, response URLs; the faults it was asked for.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Failure, MethodContext, Result } from './slack-server-method.ts';
import { methods, runMethod } from './slack-server-methods.ts';
import type { SlackServerOptions } from './slack-server-options.ts';
import { checkBlocks, type Fields } from './slack-server-rules.ts';
import { fieldsOf, isFields, newMessage, words } from './slack-server-world.ts';
import { checkAgainstSpec } from './slack-spec.ts';
import type { Clock } from './stopped-clock.ts';

/** What a call meets instead of an answer. */
interface Fault {
  /** A method's name, `upload`, `download` or `response_url`. */
  readonly method: string;
  readonly times: number;
  readonly status?: number;
  readonly retryAfter?: number;
  readonly error?: string;
  readonly delayMs?: number;
  /** The connection is cut after the call was carried out: its answer is lost. */
  readonly cut?: boolean;
}

interface CallRecord {
  readonly method: string;
  readonly args: Fields;
  readonly atMs: number;
  readonly result: Result | Failure;
}

export interface SlackWeb {
  /** Every Web API call, in order. */
  readonly calls: CallRecord[];
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
  fault(fault: Fault): void;
  /** From now on every call with this token is refused. */
  revoke(token: string, error?: string): void;
  /** @param lifeMs after it the token has expired; it serves for ever unless given. */
  grant(token: string, answer: Fields, lifeMs?: number): void;
  /** The address of the last interaction that an answer may be sent to. */
  lastResponseUrl(): string;
  /** An address that serves for half an hour, five times. */
  newResponseUrl(channel: string, user: string, threadTs?: string): string;
}

const responseUrlMs = 30 * 60_000;
const realWait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export interface SlackWebOptions {
  readonly options: SlackServerOptions;
  readonly context: MethodContext;
  readonly clock: Clock;
  /** Token → what auth.test says of it, or the error it is refused with. */
  readonly tokens: Map<string, Fields | string>;
}

export function createSlackWeb({ options, context, clock, tokens }: SlackWebOptions): SlackWeb {
  const { world, violations, nowMs } = context;
  const calls: CallRecord[] = [];
  const faults: { fault: Fault; left: number }[] = [];
  const responseUrls = new Map<
    string,
    { channel: string; user: string; threadTs: string | undefined; left: number; expiresMs: number }
  >();

  async function serve(request: IncomingMessage, response: ServerResponse) {
    const body = await readBody(request);
    const url = new URL(request.url ?? '/', context.baseUrl());
    const [, area = '', name = '', third = '', fourth = ''] = url.pathname.split('/').map(decodeURIComponent);
    const met = takeFault(area === 'api' ? name : area === 'files' ? 'download' : area);
    if (met?.delayMs !== undefined) await realWait(met.delayMs);
    if (met?.status !== undefined) {
      response.writeHead(met.status, met.retryAfter === undefined ? {} : { 'retry-after': String(met.retryAfter) });
      response.end(met.status === 429 ? JSON.stringify({ ok: false, error: 'ratelimited' }) : '');
      if (area === 'api') record(name, {}, { ok: false, error: `http ${met.status}` });
      return;
    }
    if (area === 'api') {
      const args = readArguments(request, body);
      const token = request.headers.authorization?.replace(/^Bearer /, '') ?? (words(args.token) || undefined);
      const result = met?.error === undefined ? call(name, args, token) : { ok: false as const, error: met.error };
      record(name, args, result);
      if (met?.cut) {
        response.destroy();
        return;
      }
      response.writeHead(200, {
        'content-type': 'application/json; charset=utf-8',
        ...(options.frugal ? {} : { 'x-oauth-scopes': [...context.scopes].join(',') }),
      });
      response.end(JSON.stringify(result));
    } else if (area === 'upload') {
      const file = world.files.get(name);
      if (file === undefined) response.writeHead(404).end();
      else {
        file.content = await readUpload(request, body);
        response.writeHead(200).end('OK');
      }
    } else if (area === 'files') {
      const token = request.headers.authorization?.replace(/^Bearer /, '');
      const file = world.files.get(name);
      const named = third === 'download' ? fourth : third;
      if (!isFields(tokens.get(token ?? '')) || !context.scopes.has('files:read')) {
        violations.push('a file was asked for without a token that may read it');
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in to Slack</html>');
      } else if (file?.content === undefined || file.deleted || named !== file.name) response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(file.content);
    } else if (area === 'response') {
      respond(name, JSON.parse(body.toString('utf8')), response);
    } else response.writeHead(404).end();
  }

  function record(method: string, args: Fields, result: Result | Failure) {
    calls.push({ method, args, atMs: nowMs(), result });
    if (options.spec !== false && !String(result.error).startsWith('http '))
      violations.push(...checkAgainstSpec(method, args, result));
  }

  function takeFault(method: string): Fault | undefined {
    const found = faults.find((one) => one.left > 0 && one.fault.method === method);
    if (found !== undefined) found.left -= 1;
    return found?.fault;
  }

  function call(method: string, args: Fields, token: string | undefined): Result | Failure {
    const kind = methods[method]?.token;
    if (kind !== 'none') {
      if (token === undefined) return { ok: false, error: 'not_authed' };
      const known = tokens.get(token);
      if (known === undefined) return { ok: false, error: 'invalid_auth' };
      if (typeof known === 'string') return { ok: false, error: known };
      if ((kind === 'app') !== token.startsWith('xapp-')) return { ok: false, error: 'not_allowed_token_type' };
    }
    return runMethod({ method, args, token }, context);
  }

  function respond(id: string, message: Fields, response: ServerResponse) {
    const target = responseUrls.get(id);
    if (target === undefined || target.left === 0 || nowMs() > target.expiresMs) {
      response.writeHead(404).end('expired_url');
      return;
    }
    target.left -= 1;
    const allowed = ['text', 'blocks', 'response_type', 'replace_original', 'delete_original', 'thread_ts', 'metadata'];
    const unknown = Object.keys(message).filter((name) => !allowed.includes(name));
    const problems = [
      ...unknown.map((name) => `response_url: unknown field ${name}`),
      ...(message.blocks === undefined ? [] : checkBlocks(message.blocks, 'message')),
    ];
    violations.push(...problems);
    if (problems.length > 0) {
      response.writeHead(400).end('invalid_blocks');
      return;
    }
    if (message.delete_original !== true) {
      world.messages.push(
        newMessage({
          ts: world.nextTs(),
          channel: target.channel,
          user: world.botUserId,
          threadTs: target.threadTs,
          visibleTo: message.response_type === 'in_channel' ? undefined : target.user,
          text: words(message.text),
          blocks: fieldsOf(message.blocks),
        }),
      );
    }
    response.writeHead(200).end('ok');
  }

  return {
    calls,
    serve,
    fault: (fault) => {
      faults.push({ fault, left: fault.times });
    },
    revoke: (token, error = 'token_revoked') => {
      tokens.set(token, error);
    },
    grant: (token, answer, lifeMs) => {
      tokens.set(token, answer);
      if (lifeMs !== undefined) clock.after(lifeMs, () => tokens.set(token, 'token_expired'));
    },
    lastResponseUrl: () => `${context.baseUrl()}/response/${[...responseUrls.keys()].at(-1)}`,
    newResponseUrl(channel, user, threadTs) {
      const id = world.nextId('R');
      responseUrls.set(id, { channel, user, threadTs, left: 5, expiresMs: nowMs() + responseUrlMs });
      return `${context.baseUrl()}/response/${id}`;
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Arguments of a call: form or JSON; nested ones come as JSON in a string. */
function readArguments(request: IncomingMessage, body: Buffer): Fields {
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('application/json')) return JSON.parse(body.toString('utf8') || '{}');
  const args: { [name: string]: unknown } = {};
  for (const [name, value] of new URLSearchParams(body.toString('utf8')))
    args[name] = nested.has(name) ? JSON.parse(value) : value;
  return args;
}

const nested = new Set([
  'blocks',
  'attachments',
  'metadata',
  'view',
  'files',
  'chunks',
  'prompts',
  'outputs',
  'loading_messages',
]);

/** The bytes sent to an upload address: the body itself, or the one file of a form. */
async function readUpload(request: IncomingMessage, body: Buffer): Promise<Buffer> {
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return body;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  for (const value of form.values()) if (typeof value !== 'string') return Buffer.from(await value.arrayBuffer());
  return Buffer.alloc(0);
}
