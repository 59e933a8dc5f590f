// A Slack to test against: Web API, Socket Mode, Events over HTTP with signatures and retries, response URLs, trigger ids
// that expire, file uploads, streaming. Strict: what Slack refuses is refused here with its error codes. Faults on request.
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  type Failure,
  type MethodContext,
  methods,
  type Result,
  readMessage,
  runMethod,
  toFile,
} from './slack-server-methods.ts';
import { checkBlocks, type Fields } from './slack-server-rules.ts';
import {
  type Channel,
  createWorld,
  type Message,
  type Person,
  readBlocks,
  type UploadedFile,
  type View,
  type World,
} from './slack-server-world.ts';
import { checkAgainstSpec } from './slack-spec.ts';
import { type Clock, realClock } from './stopped-clock.ts';

export const everyScope = [
  'app_mentions:read',
  'assistant:write',
  'channels:history',
  'chat:write',
  'commands',
  'files:read',
  'files:write',
  'groups:history',
  'im:history',
  'im:write',
  'mpim:history',
  'users:read',
] as const;

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

interface Acknowledged {
  readonly type: string;
  /** From sending to acknowledgement. */
  readonly delayMs: number;
  readonly payload: Fields;
}

export interface SlackServerOptions {
  readonly teamId?: string;
  readonly enterpriseId?: string;
  readonly scopes?: readonly string[];
  /** How long a trigger id serves; Slack gives 3 s. */
  readonly triggerMs?: number;
  /** Waits between the retries of an event; Slack waits up to minutes. */
  readonly retryDelaysMs?: readonly number[];
  readonly acknowledgeMs?: number;
  /** False: calls are held to our own rules only, not to the published contract too. */
  readonly spec?: boolean;
  /** What time it is there; a virtual one makes hours pass in a moment. */
  readonly clock?: Clock;
  /** Slack asks for a new socket after some hours, and closes the old one soon after. */
  readonly socketLifeMs?: number;
  /** A server of other people: the oldest methods and blocks, and whatever may be left out left out. */
  readonly frugal?: boolean;
  /** How an answer reaches an app with Request URLs: undefined is Socket Mode. */
  readonly http?: { readonly url: string; readonly signingSecret: string };
}

export interface SlackServer {
  readonly world: World;
  readonly apiUrl: string;
  readonly botToken: string;
  readonly appToken: string;
  /** Every Web API call, in order. */
  readonly calls: CallRecord[];
  /** Acknowledgements of what was sent to the app. */
  readonly acks: Acknowledged[];
  /** Broken rules, in words; a good front leaves it empty. */
  readonly violations: string[];
  /** What people were told because the app did not answer in time. */
  readonly timeouts: string[];
  readonly context: MethodContext;
  addPerson(name: string): Person;
  addChannel(name: string, people: readonly Person[], options?: { readonly withBot?: boolean }): Channel;
  fault(fault: Fault): void;
  /** From now on every call with this token is refused. */
  revoke(token: string, error?: string): void;
  /** @param lifeMs after it the token has expired; it serves for ever unless given. */
  grant(token: string, answer: Fields, lifeMs?: number): void;
  /** The address of the last interaction that an answer may be sent to. */
  lastResponseUrl(): string;
  useHttp(http: { readonly url: string; readonly signingSecret: string }): void;
  /** Asks whether the Request URL is the app's. @returns what it answered. */
  challenge(words: string): Promise<string>;
  sockets(): number;
  /** Cuts every socket without a word. */
  dropSockets(): void;
  /** They stand, and nothing comes through any more: no ping is answered. */
  freezeSockets(): void;
  /** From now on events wait; what comes back sends them, the last first. */
  holdEvents(): () => Promise<void>;
  /** Asks the app to reconnect, as Slack does every few hours; nothing more is sent down the old sockets. */
  refreshSockets(which?: 'all' | 'one'): void;
  /** Sends an event, and again where the app does not acknowledge it. */
  sendEvent(event: Fields, options?: { readonly eventId?: string; readonly body?: Fields }): Promise<void>;
  /** Sends something that waits for an answer. @returns the acknowledgement's payload; undefined: none came in time. */
  sendInteraction(type: 'slash_commands' | 'interactive', payload: Fields): Promise<Fields | undefined>;
  say(
    person: Person,
    channel: Channel,
    text: string,
    options?: { readonly threadTs?: string; readonly files?: readonly UploadedFile[]; readonly ts?: string },
  ): Promise<Message>;
  slash(person: Person, channel: Channel, text: string): Promise<Fields | undefined>;
  shortcut(person: Person, callbackId: string): Promise<Fields | undefined>;
  messageShortcut(person: Person, callbackId: string, message: Message): Promise<Fields | undefined>;
  /** Presses the newest button with this label that the person sees, in a message or at the given place. */
  press(person: Person, label: string, options?: { readonly in?: Message | 'home' }): Promise<Fields | undefined>;
  /** Chooses the option with this label, of the newest select that has it, in a message or in App Home. */
  choose(person: Person, label: string, options?: { readonly in?: 'home' }): Promise<Fields | undefined>;
  /** The newest view this person has open. */
  openView(person: Person): View | undefined;
  /** Fills in one field of the open view, as a person does. */
  fill(person: Person, label: string, value: string | readonly string[] | UploadedFile): Promise<void>;
  /** Submits the open view. @returns what the app answered. */
  submit(person: Person): Promise<Fields | undefined>;
  openHome(person: Person): Promise<void>;
  /** Opens the app's own view, as agents have it. */
  openMessages(person: Person): Promise<void>;
  /** Begins a conversation in the view that apps had before. */
  startAssistant(person: Person): Promise<Message>;
  /** Runs a workflow step of the app. @returns its execution id. */
  runFunction(person: Person, callbackId: string, inputs: Fields): Promise<string>;
  upload(name: string, content: string): UploadedFile;
  /** What this person sees of a channel, oldest first. */
  read(person: Person, channel: Channel): string;
  home(person: Person): string;
  stop(): Promise<void>;
}

/** An address to answer at serves for half an hour, five times. */
const responseUrlMs = 30 * 60_000;
/** A socket that is to go stays open this long. */
const lastMomentsMs = 10_000;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldsOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);
const words = (value: unknown): string => (typeof value === 'string' ? value : '');
const realWait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Waiting {
  readonly type: string;
  readonly sentMs: number;
  readonly acknowledge: (payload: Fields) => void;
  done: boolean;
}

export async function createSlackServer(options: SlackServerOptions = {}): Promise<SlackServer> {
  const world = createWorld(options);
  const botToken = 'xoxb-test-1';
  const appToken = 'xapp-test-1';
  const triggerMs = options.triggerMs ?? 3000;
  const acknowledgeMs = options.acknowledgeMs ?? 3000;
  const clock = options.clock ?? realClock;
  const nowMs = () => clock.now().getTime();
  const wait = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const retryDelaysMs = options.retryDelaysMs ?? [50, 200, 500];
  let http = options.http;
  const calls: CallRecord[] = [];
  const acks: Acknowledged[] = [];
  const violations: string[] = [];
  const timeouts: string[] = [];
  const faults: { fault: Fault; left: number }[] = [];
  const tokens = new Map<string, Fields | string>([
    [
      botToken,
      { team_id: world.teamId, team: 'Team', user_id: world.botUserId, bot_id: world.botId, user: 'finetutor' },
    ],
    [appToken, {}],
  ]);
  const responseUrls = new Map<
    string,
    { channel: string; user: string; threadTs: string | undefined; left: number; expiresMs: number }
  >();
  const waiting = new Map<string, Waiting>();
  const ready: WebSocket[] = [];
  const held: (() => void)[] = [];
  let turn = 0;
  let gate: (() => Promise<void>) | undefined;
  let baseUrl = '';

  const context: MethodContext = {
    world,
    baseUrl: () => baseUrl,
    nowMs,
    scopes: new Set(options.scopes ?? everyScope),
    violations,
    triggers: new Map(),
    executions: new Map(),
    grants: new Map(),
    openSocketUrl: () => `${baseUrl.replace('http', 'ws')}/link?ticket=${world.nextId('K')}`,
    authTest(token) {
      const known = tokens.get(token);
      if (options.frugal && isFields(known)) return { ok: true };
      return isFields(known)
        ? { ok: true, url: 'https://team.slack.com/', is_enterprise_install: false, ...known }
        : { ok: false, error: 'invalid_auth' };
    },
    frugal: options.frugal === true,
    slowFiles: 0,
  };

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      violations.push(`the server itself failed: ${error instanceof Error ? error.stack : String(error)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });

  async function serve(request: IncomingMessage, response: ServerResponse) {
    const body = await readBody(request);
    const url = new URL(request.url ?? '/', baseUrl);
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
      world.messages.push({
        ts: world.nextTs(),
        channel: target.channel,
        user: world.botUserId,
        threadTs: target.threadTs,
        visibleTo: message.response_type === 'in_channel' ? undefined : target.user,
        text: words(message.text),
        blocks: fieldsOf(message.blocks),
        metadata: undefined,
        files: [],
        streaming: false,
        deleted: false,
        edits: 0,
      });
    }
    response.writeHead(200).end('ok');
  }

  const socketServer = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    socketServer.handleUpgrade(request, socket, head, (opened) => {
      opened.on('message', (data) => receive(String(data)));
      opened.on('close', () => forget(opened));
      opened.send(
        JSON.stringify({
          type: 'hello',
          ...(options.frugal
            ? {}
            : {
                num_connections: ready.length + 1,
                debug_info: { host: 'test', approximate_connection_time: 18060 },
                connection_info: { app_id: world.appId },
              }),
        }),
      );
      ready.push(opened);
      if (options.socketLifeMs !== undefined) clock.after(options.socketLifeMs, () => retire(opened));
      for (const send of held.splice(0)) send();
    });
  });

  /** Nothing more is sent down it; what has been may still be acknowledged there. */
  function retire(socket: WebSocket) {
    forget(socket);
    socket.send(JSON.stringify({ type: 'disconnect', reason: 'refresh_requested', debug_info: { host: 'test' } }));
    clock.after(lastMomentsMs, () => socket.close());
  }

  function forget(socket: WebSocket) {
    const index = ready.indexOf(socket);
    if (index !== -1) ready.splice(index, 1);
  }

  function receive(data: string) {
    const message: Fields = JSON.parse(data);
    const entry = waiting.get(words(message.envelope_id));
    if (entry === undefined) violations.push(`an acknowledgement of nothing that was sent: ${data}`);
    else if (entry.done) violations.push(`a second acknowledgement of one ${entry.type}`);
    else {
      entry.done = true;
      entry.acknowledge(isFields(message.payload) ? message.payload : {});
    }
  }

  /** One attempt to deliver; resolves with the acknowledgement's payload, or undefined where none came. */
  function deliver(type: string, payload: Fields, attempt: number): Promise<Fields | undefined> {
    return http === undefined ? sendEnvelope(type, payload, attempt) : sendRequest(http, type, payload, attempt);
  }

  function sendEnvelope(type: string, payload: Fields, attempt: number): Promise<Fields | undefined> {
    const socket = ready[turn++ % Math.max(1, ready.length)];
    if (socket === undefined) return Promise.resolve(undefined);
    const envelopeId = world.nextId('env-');
    const envelope = {
      envelope_id: envelopeId,
      type,
      payload,
      accepts_response_payload: type !== 'events_api',
      ...(type === 'events_api' ? { retry_attempt: attempt, retry_reason: attempt === 0 ? '' : 'timeout' } : {}),
    };
    return new Promise((resolve) => {
      const sentMs = performance.now();
      const sentAtMs = nowMs();
      const giveUp = clock.after(acknowledgeMs, () => resolve(undefined));
      waiting.set(envelopeId, {
        type,
        sentMs,
        done: false,
        acknowledge(answer) {
          giveUp();
          acks.push({ type, delayMs: performance.now() - sentMs, payload: answer });
          const lateMs = nowMs() - sentAtMs;
          if (lateMs > acknowledgeMs) violations.push(`a late acknowledgement of one ${type}: ${lateMs} ms`);
          resolve(answer);
        },
      });
      socket.send(JSON.stringify(envelope));
    });
  }

  /** Signed, and given up when the app takes too long. */
  function request(
    { url, signingSecret }: { url: string; signingSecret: string },
    body: string,
    headers: { readonly [name: string]: string },
  ): Promise<Response> {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = `v0=${createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
    return fetch(url, {
      method: 'POST',
      headers: { ...headers, 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature },
      body,
      signal: AbortSignal.timeout(acknowledgeMs),
    });
  }

  async function sendRequest(
    { url, signingSecret }: { url: string; signingSecret: string },
    type: string,
    payload: Fields,
    attempt: number,
  ): Promise<Fields | undefined> {
    const form =
      type === 'events_api'
        ? undefined
        : new URLSearchParams(type === 'interactive' ? { payload: JSON.stringify(payload) } : toStrings(payload));
    const body = form === undefined ? JSON.stringify(payload) : form.toString();
    const sentMs = performance.now();
    const response = await request({ url, signingSecret }, body, {
      'content-type': form === undefined ? 'application/json' : 'application/x-www-form-urlencoded',
      ...(attempt === 0 ? {} : { 'x-slack-retry-num': String(attempt), 'x-slack-retry-reason': 'http_timeout' }),
    }).catch(() => undefined);
    if (response?.status !== 200) return undefined;
    const answer = await response.text();
    const read: Fields = answer.startsWith('{') ? JSON.parse(answer) : {};
    acks.push({ type, delayMs: performance.now() - sentMs, payload: read });
    return read;
  }

  async function sendEvent(
    event: Fields,
    { eventId = world.nextId('Ev'), body = {} }: { eventId?: string; body?: Fields } = {},
  ) {
    const full = {
      token: 'verification',
      team_id: world.teamId,
      ...(world.enterpriseId === undefined ? {} : { enterprise_id: world.enterpriseId }),
      api_app_id: world.appId,
      event,
      type: 'event_callback',
      event_id: eventId,
      event_time: Math.floor(nowMs() / 1000),
      authorizations: [
        {
          enterprise_id: world.enterpriseId ?? null,
          team_id: world.teamId,
          user_id: world.botUserId,
          is_bot: true,
          is_enterprise_install: world.enterpriseId !== undefined,
        },
      ],
      is_ext_shared_channel: false,
      event_context: '4-context',
      ...body,
    };
    await gate?.();
    const payload = options.frugal ? { type: full.type, team_id: world.teamId, event } : full;
    for (let attempt = 0; attempt <= retryDelaysMs.length; attempt++) {
      if (http === undefined && ready.length === 0) await new Promise<void>((resolve) => held.push(resolve));
      if ((await deliver('events_api', payload, attempt)) !== undefined) return;
      await wait(retryDelaysMs[attempt] ?? 0);
    }
    timeouts.push(`event ${String(event.type)}`);
  }

  async function sendInteraction(type: 'slash_commands' | 'interactive', payload: Fields) {
    const answer = await deliver(type, payload, 0);
    if (answer === undefined) timeouts.push(type === 'slash_commands' ? 'operation_timeout' : 'dispatch_failed');
    return answer;
  }

  function newTrigger(user: Person): string {
    const id = `${world.nextId('')}.${world.teamId}`;
    context.triggers.set(id, { user: user.id, expiresMs: nowMs() + triggerMs, used: false });
    return id;
  }

  function newResponseUrl(channel: string, user: string, threadTs?: string): string {
    const id = world.nextId('R');
    responseUrls.set(id, { channel, user, threadTs, left: 5, expiresMs: nowMs() + responseUrlMs });
    return `${baseUrl}/response/${id}`;
  }

  const base = (person: Person) => ({
    token: 'verification',
    api_app_id: world.appId,
    team: {
      id: world.teamId,
      domain: 'team',
      ...(world.enterpriseId === undefined ? {} : { enterprise_id: world.enterpriseId }),
    },
    user: {
      id: person.id,
      username: person.name.toLowerCase(),
      name: person.name.toLowerCase(),
      team_id: world.teamId,
    },
    enterprise: world.enterpriseId === undefined ? null : { id: world.enterpriseId, name: 'Org' },
    is_enterprise_install: world.enterpriseId !== undefined,
  });

  const visible = (person: Person, message: Message) =>
    !message.deleted && (message.visibleTo === undefined || message.visibleTo === person.id);

  function toPayload(message: Message): Fields {
    return {
      type: 'message',
      user: message.user,
      ...(message.user === world.botUserId ? { bot_id: world.botId, app_id: world.appId } : {}),
      ts: message.ts,
      text: message.text,
      blocks: message.blocks,
      team: world.teamId,
      ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
      ...(message.metadata === undefined ? {} : { metadata: message.metadata }),
      ...(message.files.length === 0 ? {} : { files: message.files.map((file) => toFile(file, baseUrl)) }),
    };
  }

  function elementsOf(blocks: readonly Fields[]): readonly { block: Fields; element: Fields }[] {
    return blocks.flatMap((block) => [
      ...fieldsOf(block.elements).map((element) => ({ block, element })),
      ...[block.accessory, block.element].filter(isFields).map((element) => ({ block, element })),
    ]);
  }

  const labelOf = (element: Fields) => (isFields(element.text) ? words(element.text.text) : '');
  const optionsOf = (element: Fields) => [
    ...fieldsOf(element.options),
    ...fieldsOf(element.option_groups).flatMap((group) => fieldsOf(group.options)),
  ];

  function act(person: Person, message: Message, block: Fields, action: Fields) {
    const channel = world.channels.get(message.channel);
    const ephemeral = message.visibleTo !== undefined;
    return sendInteraction('interactive', {
      type: 'block_actions',
      ...base(person),
      container: {
        type: 'message',
        message_ts: message.ts,
        channel_id: message.channel,
        is_ephemeral: ephemeral,
        ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
      },
      trigger_id: newTrigger(person),
      channel: { id: message.channel, name: channel?.name },
      ...(ephemeral ? {} : { message: toPayload(message) }),
      state: { values: {} },
      response_url: newResponseUrl(message.channel, person.id, message.threadTs),
      actions: [{ block_id: block.block_id, action_ts: world.nextTs(), ...action }],
    });
  }

  const selected = ({ action_id, type }: Fields, option: Fields | undefined) => ({
    action_id,
    type,
    selected_option: option,
  });

  /** One box pressed: on where it was off, off where it was on. */
  function toggled({ action_id, type, initial_options }: Fields, option: Fields | undefined) {
    const on = fieldsOf(initial_options);
    const others = on.filter((one) => one.value !== option?.value);
    return { action_id, type, selected_options: others.length < on.length ? others : [...on, option] };
  }

  function actAtHome(
    person: Person,
    label: string,
    wanted: (element: Fields) => boolean,
    actionOf: (element: Fields) => Fields,
  ) {
    const home = world.homes.get(person.id) ?? {};
    const found = elementsOf(fieldsOf(home.blocks)).find(({ element }) => wanted(element));
    if (found === undefined) throw new Error(`nothing in App Home is called ${label}`);
    return sendInteraction('interactive', {
      type: 'block_actions',
      ...base(person),
      container: { type: 'view', view_id: `VH${person.id}` },
      trigger_id: newTrigger(person),
      view: { ...home, id: `VH${person.id}`, hash: 'h' },
      actions: [{ block_id: found.block.block_id, action_ts: world.nextTs(), ...actionOf(found.element) }],
    });
  }

  function find(person: Person, wanted: (element: Fields) => boolean, where?: Message) {
    const messages = where === undefined ? world.messages.toReversed() : [where];
    for (const message of messages) {
      if (!visible(person, message) || !world.channels.get(message.channel)?.members.has(person.id)) continue;
      const found = elementsOf(message.blocks).find(({ element }) => wanted(element));
      if (found !== undefined) return { message, ...found };
    }
    return undefined;
  }

  const newestView = (person: Person) =>
    [...world.views.values()].findLast((view) => view.user === person.id && view.open);

  const viewPayload = (view: View) => ({
    ...view.content,
    id: view.id,
    team_id: world.teamId,
    hash: view.hash,
    state: { values: view.state },
    app_id: world.appId,
    app_installed_team_id: world.teamId,
    bot_id: world.botId,
    root_view_id: view.id,
    previous_view_id: null,
  });

  function stateOf(block: Fields, element: Fields): Fields {
    switch (element.type) {
      case 'static_select':
      case 'radio_buttons':
        return { type: element.type, selected_option: element.initial_option ?? null };
      case 'checkboxes':
      case 'multi_static_select':
        return { type: element.type, selected_options: element.initial_options ?? [] };
      case 'file_input':
        return { type: element.type, files: [] };
      default:
        return { type: element.type ?? block.type, value: element.initial_value ?? null };
    }
  }

  /** The fields a view shows, with what is in them. */
  function settle(view: View) {
    const shown = fieldsOf(view.content.blocks).filter((block) => block.type === 'input');
    const ids = new Set(shown.map((block) => words(block.block_id)));
    for (const id of Object.keys(view.state)) if (!ids.has(id)) delete view.state[id];
    for (const block of shown) {
      if (!isFields(block.element)) continue;
      const actionId = words(block.element.action_id);
      const actions = view.state[words(block.block_id)] ?? {};
      actions[actionId] ??= stateOf(block, block.element);
      view.state[words(block.block_id)] = actions;
    }
    return shown;
  }

  const addPerson = (name: string) => {
    const person = { id: world.nextId('U'), name };
    world.people.set(person.id, person);
    return person;
  };

  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    world,
    apiUrl: `${baseUrl}/api/`,
    botToken,
    appToken,
    calls,
    acks,
    violations,
    timeouts,
    context,
    addPerson,
    addChannel(name, people, { withBot = true } = {}) {
      const members = new Set([...people.map((person) => person.id), ...(withBot ? [world.botUserId] : [])]);
      const channel: Channel = { id: world.nextId('C'), name, isIm: false, members };
      world.channels.set(channel.id, channel);
      return channel;
    },
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
    lastResponseUrl: () => `${baseUrl}/response/${[...responseUrls.keys()].at(-1)}`,
    useHttp: (given) => {
      http = given;
    },
    async challenge(challenge) {
      if (http === undefined) throw new Error('the app has no Request URL');
      const response = await request(http, JSON.stringify({ type: 'url_verification', challenge }), {
        'content-type': 'application/json',
      });
      const answer = await response.text();
      return answer.startsWith('{') ? words(JSON.parse(answer).challenge) : answer;
    },
    sockets: () => ready.length,
    dropSockets() {
      for (const socket of ready.splice(0)) socket.terminate();
    },
    freezeSockets() {
      for (const socket of ready.splice(0)) socket.pause();
    },
    holdEvents() {
      const waitingEvents: (() => void)[] = [];
      gate = () => new Promise((resolve) => waitingEvents.push(resolve));
      return async () => {
        gate = undefined;
        for (const send of waitingEvents.reverse()) {
          send();
          await realWait(20);
        }
      };
    },
    refreshSockets(which = 'all') {
      for (const socket of ready.slice(0, which === 'one' ? 1 : ready.length)) retire(socket);
    },
    sendEvent,
    sendInteraction,
    async say(person, channel, text, { threadTs, files = [], ts } = {}) {
      const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
      const written = escaped
        .replaceAll('@finetutor', `<@${world.botUserId}>`)
        .replace(/https?:\/\/[^\s)&]+/g, (found) => `<${found}>`);
      const known = ts === undefined ? undefined : world.find(channel.id, ts);
      const message: Message = known ?? {
        ts: ts ?? world.nextTs(),
        channel: channel.id,
        user: person.id,
        threadTs,
        visibleTo: undefined,
        text: written,
        blocks: [],
        metadata: undefined,
        files,
        streaming: false,
        deleted: false,
        edits: 0,
      };
      if (known === undefined) world.messages.push(message);
      const root = threadTs === undefined ? undefined : world.find(channel.id, threadTs);
      const event = {
        user: person.id,
        ts: message.ts,
        client_msg_id: message.ts,
        text: written,
        team: world.teamId,
        channel: channel.id,
        event_ts: message.ts,
        ...(threadTs === undefined ? {} : { thread_ts: threadTs, parent_user_id: root?.user }),
        ...(files.length === 0 ? {} : { files: files.map((file) => toFile(file, baseUrl)) }),
      };
      const sent: Promise<void>[] = [];
      if (channel.members.has(world.botUserId)) {
        if (!channel.isIm && written.includes(`<@${world.botUserId}>`)) {
          sent.push(sendEvent({ type: 'app_mention', ...event }, { eventId: `EvA${message.ts}` }));
        }
        sent.push(
          sendEvent(
            {
              type: 'message',
              channel_type: channel.isIm ? 'im' : 'channel',
              ...(files.length === 0 ? {} : { subtype: 'file_share' }),
              ...event,
            },
            { eventId: `EvM${message.ts}` },
          ),
        );
      }
      await Promise.all(sent);
      return message;
    },
    slash: (person, channel, text) =>
      sendInteraction('slash_commands', {
        token: 'verification',
        team_id: world.teamId,
        team_domain: 'team',
        ...(world.enterpriseId === undefined ? {} : { enterprise_id: world.enterpriseId, enterprise_name: 'Org' }),
        channel_id: channel.id,
        channel_name: channel.name,
        user_id: person.id,
        user_name: person.name.toLowerCase(),
        command: '/finetutor',
        text: text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
        api_app_id: world.appId,
        is_enterprise_install: world.enterpriseId === undefined ? 'false' : 'true',
        response_url: newResponseUrl(channel.id, person.id),
        trigger_id: newTrigger(person),
      }),
    shortcut: (person, callbackId) =>
      sendInteraction('interactive', {
        type: 'shortcut',
        ...base(person),
        action_ts: world.nextTs(),
        callback_id: callbackId,
        trigger_id: newTrigger(person),
      }),
    messageShortcut: (person, callbackId, message) =>
      sendInteraction('interactive', {
        type: 'message_action',
        ...base(person),
        action_ts: world.nextTs(),
        callback_id: callbackId,
        trigger_id: newTrigger(person),
        response_url: newResponseUrl(message.channel, person.id),
        channel: { id: message.channel, name: world.channels.get(message.channel)?.name },
        message_ts: message.ts,
        message: toPayload(message),
      }),
    async press(person, label, { in: where } = {}) {
      const isButton = (element: Fields) => element.type === 'button' && labelOf(element) === label;
      if (where === 'home') return actAtHome(person, label, isButton, (element) => element);
      const found = find(person, isButton, where);
      if (found === undefined) throw new Error(`no button is called ${label}`);
      return act(person, found.message, found.block, found.element);
    },
    async choose(person, label, { in: where } = {}) {
      const option = (element: Fields) =>
        optionsOf(element).find((one) => isFields(one.text) && words(one.text.text) === label);
      if (where === 'home') {
        const offers = (element: Fields) => option(element) !== undefined;
        return actAtHome(person, label, offers, (element) =>
          element.type === 'checkboxes' ? toggled(element, option(element)) : selected(element, option(element)),
        );
      }
      const found = find(person, (element) => element.type === 'static_select' && option(element) !== undefined);
      if (found === undefined) throw new Error(`no option is called ${label}`);
      return act(person, found.message, found.block, selected(found.element, option(found.element)));
    },
    openView: newestView,
    async fill(person, label, value) {
      const view = newestView(person);
      if (view === undefined) throw new Error(`${person.name} has no view open`);
      const block = settle(view).find((one) => isFields(one.label) && words(one.label.text) === label);
      if (block === undefined || !isFields(block.element)) throw new Error(`the view has no field ${label}`);
      const element = block.element;
      const actionId = words(element.action_id);
      const actions = view.state[words(block.block_id)] ?? {};
      view.state[words(block.block_id)] = actions;
      if (Array.isArray(value)) {
        const chosen = optionsOf(element).filter((one) => isFields(one.text) && value.includes(words(one.text.text)));
        if (chosen.length !== value.length) throw new Error(`${label} does not have all of ${value.join(', ')}`);
        actions[actionId] = { type: element.type, selected_options: chosen };
      } else if (typeof value === 'object' && 'name' in value) {
        actions[actionId] = { type: 'file_input', files: [toFile(value, baseUrl)] };
      } else if (element.type === 'static_select' || element.type === 'radio_buttons') {
        const chosen = optionsOf(element).find((one) => isFields(one.text) && words(one.text.text) === value);
        if (chosen === undefined) throw new Error(`${label} has no option ${value}`);
        actions[actionId] = { type: element.type, selected_option: chosen };
      } else actions[actionId] = { type: element.type, value };
      if (block.dispatch_action !== true) return;
      const hash = view.hash;
      await sendInteraction('interactive', {
        type: 'block_actions',
        ...base(person),
        container: { type: 'view', view_id: view.id },
        trigger_id: newTrigger(person),
        view: viewPayload(view),
        actions: [{ block_id: block.block_id, action_id: actionId, action_ts: world.nextTs(), ...actions[actionId] }],
      });
      for (let tries = 0; tries < 100 && view.hash === hash; tries++) await realWait(10);
    },
    async submit(person) {
      const view = newestView(person);
      if (view === undefined) throw new Error(`${person.name} has no view open`);
      for (const block of settle(view)) {
        const [state] = Object.values(view.state[words(block.block_id)] ?? {});
        const several = fieldsOf(state?.selected_options)[0] ?? fieldsOf(state?.files)[0];
        const filled = state?.value ?? state?.selected_option ?? several;
        if (block.optional !== true && (filled === undefined || filled === null)) {
          throw new Error(`${isFields(block.label) ? words(block.label.text) : ''} must be filled in`);
        }
      }
      const answer = await sendInteraction('interactive', {
        type: 'view_submission',
        ...base(person),
        trigger_id: newTrigger(person),
        view: viewPayload(view),
        response_urls: [],
      });
      if (answer !== undefined && answer.response_action !== 'errors' && answer.response_action !== 'update')
        view.open = false;
      return answer;
    },
    openHome: (person) =>
      sendEvent({
        type: 'app_home_opened',
        user: person.id,
        channel: world.im(person.id).id,
        tab: 'home',
        event_ts: world.nextTs(),
      }),
    openMessages: (person) =>
      sendEvent({
        type: 'app_home_opened',
        user: person.id,
        channel: world.im(person.id).id,
        tab: 'messages',
        event_ts: world.nextTs(),
      }),
    async startAssistant(person) {
      const channel = world.im(person.id);
      const root: Message = {
        ts: world.nextTs(),
        channel: channel.id,
        user: world.botUserId,
        threadTs: undefined,
        visibleTo: undefined,
        text: 'New Assistant Thread',
        blocks: [],
        metadata: undefined,
        files: [],
        streaming: false,
        deleted: false,
        edits: 0,
      };
      world.messages.push(root);
      await sendEvent({
        type: 'assistant_thread_started',
        assistant_thread: { user_id: person.id, context: {}, channel_id: channel.id, thread_ts: root.ts },
        event_ts: world.nextTs(),
      });
      return root;
    },
    async runFunction(person, callbackId, inputs) {
      const executionId = world.nextId('Fx');
      context.executions.set(executionId, { outcome: undefined });
      await sendEvent({
        type: 'function_executed',
        function: {
          id: 'Fn0001',
          callback_id: callbackId,
          title: callbackId,
          description: '',
          type: 'app',
          input_parameters: [],
          output_parameters: [],
          app_id: world.appId,
          date_created: 0,
          date_updated: 0,
          date_deleted: 0,
        },
        inputs: { user_id: person.id, ...inputs },
        function_execution_id: executionId,
        workflow_execution_id: world.nextId('Wx'),
        event_ts: world.nextTs(),
        bot_access_token: botToken,
      });
      return executionId;
    },
    upload(name, content) {
      const file: UploadedFile = {
        id: world.nextId('F'),
        name,
        bytes: Buffer.byteLength(content),
        content: Buffer.from(content),
        complete: true,
        deleted: false,
        altText: undefined,
      };
      world.files.set(file.id, file);
      return file;
    },
    read: (person, channel) =>
      world.messages
        .filter((message) => message.channel === channel.id && visible(person, message))
        .map((message) => (message.user === world.botUserId ? readMessage(message) : ''))
        .join('\n'),
    home: (person) => readBlocks(fieldsOf(world.homes.get(person.id)?.blocks)),
    async stop() {
      for (const socket of socketServer.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const toStrings = (payload: Fields) =>
  Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, String(value)]));

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
