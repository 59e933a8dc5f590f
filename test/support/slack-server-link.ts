// How what happens in Slack reaches the app: down its sockets, or as signed requests; again where it is not acknowledged.
import { createHmac } from 'node:crypto';
import type { Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import type { MethodContext } from './slack-server-method.ts';
import type { SlackServerOptions } from './slack-server-options.ts';
import type { Fields } from './slack-server-rules.ts';
import { isFields, words } from './slack-server-world.ts';
import type { Clock } from './stopped-clock.ts';

interface Acknowledged {
  readonly type: string;
  /** From sending to acknowledgement. */
  readonly delayMs: number;
  readonly payload: Fields;
}

export interface SlackLink {
  /** Acknowledgements of what was sent to the app. */
  readonly acks: Acknowledged[];
  /** What people were told because the app did not answer in time. */
  readonly timeouts: string[];
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
  /** Cuts what stands. */
  stop(): void;
}

/** A socket that is to go stays open this long. */
const lastMomentsMs = 10_000;
const realWait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Waiting {
  readonly type: string;
  readonly sentMs: number;
  readonly acknowledge: (payload: Fields) => void;
  done: boolean;
}

export interface SlackLinkOptions {
  readonly options: SlackServerOptions;
  readonly context: MethodContext;
  readonly clock: Clock;
  readonly server: Server;
}

export function createSlackLink({ options, context, clock, server }: SlackLinkOptions): SlackLink {
  const { world, violations, nowMs } = context;
  const { acknowledgeMs = 3000, retryDelaysMs = [50, 200, 500] } = options;
  const wait = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const acks: Acknowledged[] = [];
  const timeouts: string[] = [];
  const waiting = new Map<string, Waiting>();
  const ready: WebSocket[] = [];
  const held: (() => void)[] = [];
  let http = options.http;
  let turn = 0;
  let gate: (() => Promise<void>) | undefined;

  const socketServer = new WebSocketServer({ noServer: true });
  server.on('upgrade', (upgrade, socket, head) => {
    socketServer.handleUpgrade(upgrade, socket, head, (opened) => {
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

  return {
    acks,
    timeouts,
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
    stop() {
      for (const socket of socketServer.clients) socket.terminate();
    },
  };
}

const toStrings = (payload: Fields) =>
  Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, String(value)]));
