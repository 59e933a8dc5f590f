// Gateway v10 as Discord speaks it: hello, identify, ready, heartbeats, resume with replay, reconnect, invalid session, close codes.
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

interface Frame {
  readonly op: number;
  readonly d: unknown;
  readonly s: number | null;
  readonly t: string | null;
}

interface Session {
  readonly id: string;
  readonly intents: number;
  /** Which of how many: a part of the guilds is its. */
  readonly shard: readonly [number, number];
  /** Everything dispatched, to be replayed on resume. */
  readonly sent: Frame[];
  socket: WebSocket | undefined;
}

export const intents = { guilds: 1, guildMessages: 1 << 9, directMessages: 1 << 12, messageContent: 1 << 15 } as const;
const known = (1 << 26) - 1;

export interface GatewayOptions {
  readonly token: () => string;
  /** Whether the application may ask for message content. */
  readonly mayReadMessages: () => boolean;
  readonly url: () => string;
  readonly ready: (shard: readonly [number, number]) => object;
  readonly guilds: () => readonly { readonly id: string }[];
  /** An event as a client gets it. */
  readonly shown: (event: string, data: unknown) => unknown;
}

export interface Gateway {
  /** Sends an event to every session. `only`: those whose intents allow it, with what they may see of it. */
  dispatch(event: string, data: (sessionIntents: number) => unknown): void;
  /** Drops every socket without a word, as a broken network does. */
  drop(): void;
  /** Asks every client to reconnect (op 7). */
  reconnect(): void;
  /** Invalidates every session (op 9). */
  invalidate(resumable: boolean): void;
  /** Closes every connection with a code; sessions are gone for codes that end them. */
  close(code: number): void;
  /** Stops answering heartbeats: the connection is a zombie. */
  freeze(frozen: boolean): void;
  /** Every event is sent twice with the same content, or held back and sent after the next one. */
  mischief: 'none' | 'duplicate' | 'reorder';
  heartbeatMs: number;
  readonly identifies: number;
  /** The shards that are connected now, as `0/2`. */
  shards(): readonly string[];
  readonly resumes: number;
  /** What a client did that the gateway does not allow. */
  readonly violations: string[];
  connections(): number;
  end(): Promise<void>;
}

export function createGateway(server: Server, options: GatewayOptions): Gateway {
  const sessions = new Map<string, Session>();
  const sockets = new WebSocketServer({ server, path: '/gateway' });
  const violations: string[] = [];
  const counts = { identifies: 0, resumes: 0 };
  let frozen = false;
  let held: { event: string; data: (sessionIntents: number) => unknown } | undefined;

  const send = (socket: WebSocket, op: number, d: unknown, extra: Partial<Frame> = {}) =>
    socket.send(JSON.stringify({ op, d, s: null, t: null, ...extra }));

  function emit(session: Session, t: string, d: unknown) {
    const frame: Frame = { op: 0, d: options.shown(t, d), s: session.sent.length + 1, t };
    session.sent.push(frame);
    if (session.socket?.readyState === 1) session.socket.send(JSON.stringify(frame));
  }

  function identify(
    socket: WebSocket,
    data: { token?: string; intents?: number; properties?: object; shard?: readonly [number, number] },
  ) {
    counts.identifies += 1;
    if (data.token !== options.token()) return socket.close(4004, 'Authentication failed.');
    const wanted = data.intents ?? 0;
    if ((wanted & ~known) !== 0 || data.intents === undefined) return socket.close(4013, 'Invalid intent(s).');
    if ((wanted & intents.messageContent) !== 0 && !options.mayReadMessages())
      return socket.close(4014, 'Disallowed intent(s).');
    const shard = data.shard ?? [0, 1];
    if (!(shard[0] >= 0 && shard[0] < shard[1])) return socket.close(4010, 'Invalid shard.');
    const session: Session = { id: randomUUID(), intents: wanted, shard, sent: [], socket };
    sessions.set(session.id, session);
    emit(session, 'READY', {
      v: 10,
      session_type: 'normal',
      session_id: session.id,
      resume_gateway_url: options.url(),
      ...options.ready(shard),
    });
    for (const guild of options.guilds()) if (isFor(shard, guild.id)) emit(session, 'GUILD_CREATE', guild);
    return undefined;
  }

  function resume(socket: WebSocket, data: { token?: string; session_id?: string; seq?: number }) {
    counts.resumes += 1;
    if (data.token !== options.token()) return socket.close(4004, 'Authentication failed.');
    const session = sessions.get(data.session_id ?? '');
    if (session === undefined) return send(socket, 9, false);
    const seq = data.seq ?? -1;
    if (seq < 0 || seq > session.sent.length) return socket.close(4007, 'Invalid seq.');
    session.socket = socket;
    for (const frame of session.sent.slice(seq)) socket.send(JSON.stringify(frame));
    emit(session, 'RESUMED', {});
    return undefined;
  }

  sockets.on('connection', (socket) => {
    let greeted = false;
    send(socket, 10, { heartbeat_interval: gateway.heartbeatMs });
    socket.on('message', (raw) => {
      const { op, d } = JSON.parse(String(raw));
      switch (op) {
        case 1:
          if (!frozen) send(socket, 11, null);
          break;
        case 2:
          if (greeted) socket.close(4005, 'Already authenticated.');
          greeted = true;
          identify(socket, d);
          break;
        case 6:
          greeted = true;
          resume(socket, d);
          break;
        case 3:
        case 8:
          break;
        default:
          violations.push(`unknown opcode ${op}`);
          socket.close(4001, 'Unknown opcode.');
      }
    });
    socket.on('close', () => {
      for (const session of sessions.values()) if (session.socket === socket) session.socket = undefined;
    });
  });

  function deliver(event: string, data: (sessionIntents: number) => unknown) {
    for (const session of sessions.values()) {
      const seen = data(session.intents);
      if (seen === undefined || !isFor(session.shard, guildIn(event, seen))) continue;
      emit(session, event, seen);
      if (gateway.mischief === 'duplicate') emit(session, event, seen);
    }
  }

  const live = () => [...sockets.clients];
  const gateway: Gateway = {
    heartbeatMs: 41_250,
    mischief: 'none',
    violations,
    get identifies() {
      return counts.identifies;
    },
    get resumes() {
      return counts.resumes;
    },
    shards: () =>
      [...sessions.values()]
        .filter(({ socket }) => socket?.readyState === 1)
        .map(({ shard }) => shard.join('/'))
        .sort(),
    connections: () => live().length,
    dispatch(event, data) {
      if (gateway.mischief === 'reorder' && held === undefined) {
        held = { event, data };
        return;
      }
      deliver(event, data);
      if (held !== undefined) deliver(held.event, held.data);
      held = undefined;
    },
    drop: () => {
      for (const socket of live()) socket.terminate();
    },
    reconnect: () => {
      for (const socket of live()) send(socket, 7, null);
    },
    invalidate(resumable) {
      if (!resumable) sessions.clear();
      for (const socket of live()) send(socket, 9, resumable);
    },
    close(code) {
      if (code === 1000 || code === 1001 || code === 4004) sessions.clear();
      for (const socket of live()) socket.close(code);
    },
    freeze: (value) => {
      frozen = value;
    },
    async end() {
      for (const socket of live()) socket.terminate();
      await new Promise<void>((resolve) => sockets.close(() => resolve()));
    },
  };
  return gateway;
}

/** @see https://discord.com/developers/docs/events/gateway#sharding-sharding-formula */
export function isFor([id, count]: readonly [number, number], guildId: string | undefined): boolean {
  return guildId === undefined ? id === 0 : Number((BigInt(guildId) >> 22n) % BigInt(count)) === id;
}

/** Undefined for what belongs to no guild, such as a direct message. */
function guildIn(event: string, data: unknown): string | undefined {
  const { id, guild_id } = data as { id?: string; guild_id?: string };
  return event.startsWith('GUILD_') ? id : guild_id;
}
