// The Slack front: Bolt's listeners at one end, replies as Block Kit at the other.
import { createHash } from 'node:crypto';
import { Server } from 'node:http';
import { join } from 'node:path';
import { App, HTTPReceiver, type Receiver, webApi } from '@slack/bolt';
import type { Logger } from 'pino';
import { type Engine, UserError } from '../../../engine/index.ts';
import type { Incoming, Person, Place } from '../../chat/message.ts';
import type { Meter } from '../../chat/meter.ts';
import { apology } from '../../chat/reply.ts';
import { type Circuit, createCircuit } from '../circuit.ts';
import { createDownloads, type Downloads } from '../download.ts';
import type { Front, Handle, Vitals } from '../front.ts';
import { createFrontInbox, type FrontInbox } from '../inbox.ts';
import { createTurnstile } from '../turnstile.ts';
import { type Counts, clientOptions, createApi, type SlackApi, SlackProblem, toProblem } from './api.ts';
import { type Arrivals, createArrivals } from './arrivals.ts';
import { createBoltLog } from './bolt-log.ts';
import { createDelivery } from './delivery.ts';
import { createInstallations, type Installations, type Rotated } from './installations.ts';
import { createIntake, fileLimitBytes } from './intake.ts';
import { listen } from './listen.ts';
import { createPlaces } from './places.ts';
import { startReminders } from './reminders.ts';
import { missingScopes, scopeNames } from './scopes.ts';
import { createSeal } from './seal.ts';
import { createSockets } from './sockets.ts';
import { createCharts } from './uploads.ts';

export const slackApiUrl = 'https://slack.com/api/';
/** Hosts that people's files lie on. */
const fileHosts = ['files.slack.com', 'slack-files.com'];

export type SlackAccess =
  /** One workspace, its token in the settings. */
  | { readonly kind: 'token'; readonly botToken: string }
  /** Any workspace may install the app; the tokens are sealed with `sealKey`. */
  | {
      readonly kind: 'oauth';
      readonly clientId: string;
      readonly clientSecret: string;
      readonly sealKey: string;
      /** Where people are asked for their consent; Slack's own unless given. */
      readonly authorizationUrl?: string;
      readonly redirectUri?: string;
    };

export type SlackTransport =
  | { readonly kind: 'sockets'; readonly appToken: string }
  /** @param port 0 takes any free one. */
  | { readonly kind: 'http'; readonly signingSecret: string; readonly port: number; readonly host?: string };

export interface SlackFrontOptions {
  readonly access: SlackAccess;
  readonly transport: SlackTransport;
  /** Slack's Web API, or another server that speaks it. */
  readonly apiUrl?: string;
  readonly engine: Engine;
  readonly dataDir: string;
  /** The web page; links to it are shown only where other people can open them. */
  readonly pageUrl: () => string | undefined;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>;
  readonly now: () => Date;
  readonly after: (delayMs: number, callback: () => void) => () => void;
  readonly meter?: Meter;
  /** How long stopping waits for what is under way; the rest is taken up by the next start. */
  readonly longestStopMs?: number;
  /** Least time between two changes of one message; about what Slack allows unless given. */
  readonly cadenceMs?: number;
}

interface SlackHealth {
  readonly state: 'off' | 'connected' | 'reconnecting' | 'refused';
  /** Socket Mode connections that stand; undefined over HTTP. */
  readonly sockets: number | undefined;
  /** Why the last connection, or a workspace's token, was refused. */
  readonly problem: string | undefined;
  /** Workspaces whose token Slack does not take any more, or that ask us to wait. */
  readonly troubled: readonly { readonly workspaceId: string; readonly problem: string }[];
  readonly refused: Readonly<Counts>;
  readonly missingScopes: readonly string[];
}

export interface SlackFront extends Front {
  health(): SlackHealth;
  vitals(): Vitals;
  /** Where it listens over HTTP, once started. */
  readonly port: () => number | undefined;
}

const socketCount = 2;
const standardStopMs = 8000;
/** People served at a time; acknowledging never waits for them. */
const workedOnAtOnce = 8;
/** Of the half second in which almost everything is to be acknowledged. */
const keepPatienceMs = 250;

export function createSlackFront(options: SlackFrontOptions): SlackFront {
  const { access, transport, engine, log, now, after } = options;
  const apiUrl = options.apiUrl ?? slackApiUrl;
  const boltLog = createBoltLog(log);
  const counts: Counts = { unauthorised: 0, forbidden: 0, rateLimited: 0, unreachable: 0 };
  const apis = new Map<
    string,
    { readonly token: string; readonly api: SlackApi; readonly circuit: Circuit; lastProblem: string | undefined }
  >();
  const downloads = new Map<string, { readonly token: string; readonly downloads: Downloads }>();
  const installations: Installations | undefined =
    access.kind === 'oauth'
      ? createInstallations({ engine, seal: createSeal(access.sealKey), rotate: rotateWith(access), now })
      : undefined;
  const places = createPlaces(engine.kept);
  let unacknowledged = 0;
  const turnstile = createTurnstile(workedOnAtOnce, () => unacknowledged > 0);
  const underWay = new Set<Promise<void>>();
  const responseUrls = new Map<string, string>();
  let connected = 0;
  let reconnects = 0;
  let problem: string | undefined;
  let state: SlackHealth['state'] = 'off';
  let own: { readonly botUserId: string; readonly botId: string | undefined; readonly teamId: string } | undefined;
  let lacking: readonly string[] = [];
  let receiver: Receiver | undefined;
  let httpReceiver: HTTPReceiver | undefined;
  let port: number | undefined;
  let endReminders = () => {};
  let inbox: FrontInbox | undefined;
  let began: Arrivals['began'] = () => {};

  /** https://docs.slack.dev/authentication/using-token-rotation */
  function rotateWith({ clientId, clientSecret }: { readonly clientId: string; readonly clientSecret: string }) {
    return async (refreshToken: string): Promise<Rotated> => {
      const client = new webApi.WebClient(undefined, clientOptions(apiUrl, boltLog));
      const answer = await client.oauth.v2
        .access({
          client_id: clientId,
          client_secret: clientSecret,
          grant_type: 'refresh_token',
          refresh_token: refreshToken,
        })
        .catch((error: unknown) => {
          throw toProblem('oauth.v2.access', error);
        });
      const { access_token: token, refresh_token: next, expires_in: seconds } = answer;
      if (token === undefined || next === undefined || seconds === undefined)
        throw new SlackProblem('oauth.v2.access', 'no tokens came back', 'unsure');
      return { token, refreshToken: next, expiresAt: Math.floor(now().getTime() / 1000) + seconds };
    };
  }

  async function tokenOf(workspaceId: string): Promise<string> {
    const token = access.kind === 'token' ? access.botToken : await installations?.tokenOf(workspaceId);
    if (token === undefined) throw new SlackProblem('token', 'not_installed', 'credentials');
    return token;
  }

  async function apiOf(workspaceId: string): Promise<SlackApi> {
    const token = await tokenOf(workspaceId);
    const known = apis.get(workspaceId);
    if (known?.token === token) return known.api;
    const circuit = createCircuit({ failures: 20, windowMs: 60_000, coolDownMs: 30_000, now });
    const calls = createApi({ token, apiUrl, circuit, counts, log: boltLog });
    const entry = {
      token,
      circuit,
      lastProblem: undefined as string | undefined,
      api: {
        async call(method: string, args: Parameters<SlackApi['call']>[1]) {
          try {
            const answer = await calls.call(method, args);
            entry.lastProblem = undefined;
            return answer;
          } catch (error) {
            if (error instanceof SlackProblem && error.trouble === 'credentials') entry.lastProblem = error.code;
            throw error;
          }
        },
      },
    };
    apis.set(workspaceId, entry);
    return entry.api;
  }

  async function downloadsOf(workspaceId: string): Promise<Downloads> {
    const token = await tokenOf(workspaceId);
    const known = downloads.get(workspaceId);
    if (known?.token === token) return known.downloads;
    const folder = createHash('sha256').update(workspaceId).digest('hex').slice(0, 16);
    const made = createDownloads({
      folder: join(options.dataDir, 'slack-uploads', folder),
      limitBytes: fileLimitBytes,
      hosts: apiUrl === slackApiUrl ? fileHosts : [...fileHosts, new URL(apiUrl).hostname],
      headers: { authorization: `Bearer ${token}` },
    });
    downloads.set(workspaceId, { token, downloads: made });
    return made;
  }

  async function directMessage(workspaceId: string, personId: string): Promise<string> {
    const api = await apiOf(workspaceId);
    const answer = await api.call('conversations.open', { users: personId });
    const { channel } = answer;
    if (typeof channel === 'object' && channel !== null && 'id' in channel && typeof channel.id === 'string')
      return channel.id;
    throw new SlackProblem('conversations.open', 'no channel came back', 'refused');
  }

  /** By the address Slack gave for an answer while it serves, else by a direct message. */
  async function notify(place: Place, asker: Person, words: string) {
    const url = responseUrls.get(JSON.stringify([place.workspaceId, place.conversationId]));
    if (url !== undefined) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ response_type: 'ephemeral', text: words }),
        signal: AbortSignal.timeout(10_000),
      }).catch(() => undefined);
      if (response?.ok) return;
    }
    try {
      const api = await apiOf(place.workspaceId);
      await api.call('chat.postMessage', { channel: await directMessage(place.workspaceId, asker.id), text: words });
    } catch (error) {
      log.error({ err: error, place }, 'a person could not be told what went wrong');
    }
  }

  const delivery = createDelivery({
    engine,
    apiOf,
    places,
    charts: createCharts({ engine, nowMs: () => now().getTime(), log }),
    sectionUrl: (chapterId, sectionId) => {
      const page = options.pageUrl();
      return page && `${page}/guide/${encodeURIComponent(chapterId)}#${encodeURIComponent(sectionId)}`;
    },
    now,
    after,
    cadenceMs: options.cadenceMs,
    log,
    notify,
  });

  /** Begins to work on something acknowledged; what goes wrong is logged, for nobody waits for it. */
  function work(what: string, doIt: () => Promise<void>): void {
    const doing = turnstile(doIt)
      .catch((error: unknown) => log.error({ err: error, what }, 'Slack: something could not be done'))
      .finally(() => underWay.delete(doing));
    underWay.add(doing);
    began(doing);
  }

  /** How far the process came that ended, nobody knows. */
  const tellCutShort = ({ place, person }: Incoming) =>
    delivery.deliver(
      place,
      apology(new UserError('I was restarted while I worked on this.', 'If no answer came, ask again.')),
      person,
    );

  function createReceiver(): Receiver {
    if (transport.kind === 'sockets') {
      return createSockets({
        appToken: transport.appToken,
        apiUrl,
        count: socketCount,
        log: boltLog,
        after,
        onChange(change) {
          if (change.connected < connected) reconnects += 1;
          connected = change.connected;
          problem = change.problem?.code;
          if (state === 'off') return;
          state = connected > 0 ? 'connected' : change.problem?.trouble === 'credentials' ? 'refused' : 'reconnecting';
        },
      });
    }
    httpReceiver = new HTTPReceiver({
      signingSecret: transport.signingSecret,
      port: transport.port,
      logger: boltLog,
      ...(access.kind === 'oauth' && installations !== undefined ? installerOptions(access, installations) : {}),
    });
    return httpReceiver;
  }

  function installerOptions(oauth: Extract<SlackAccess, { kind: 'oauth' }>, store: Installations) {
    const { clientId, clientSecret, sealKey, authorizationUrl, redirectUri } = oauth;
    return {
      clientId,
      clientSecret,
      stateSecret: createHash('sha256').update(`state ${sealKey}`).digest('hex'),
      scopes: [...scopeNames],
      installationStore: store,
      ...(redirectUri === undefined ? {} : { redirectUri }),
      installerOptions: {
        directInstall: true,
        clientOptions: clientOptions(apiUrl, boltLog),
        ...(authorizationUrl === undefined ? {} : { authorizationUrl }),
        ...(redirectUri === undefined ? {} : { redirectUriPath: new URL(redirectUri).pathname }),
      },
    };
  }

  /** Asks Slack who we are. @throws UserError when it does not take the token. */
  async function introduce(botToken: string) {
    const client = new webApi.WebClient(botToken, clientOptions(apiUrl, boltLog));
    try {
      const answer = await client.auth.test();
      const granted = answer.response_metadata?.scopes;
      if (granted !== undefined) lacking = missingScopes(granted).map(({ scope }) => scope);
      return {
        botUserId: answer.user_id ?? '',
        botId: answer.bot_id,
        teamId: answer.team_id ?? '',
        team: answer.team ?? '',
      };
    } catch (error) {
      throw refusal('SLACK_BOT_TOKEN', toProblem('auth.test', error), apiUrl);
    }
  }

  return {
    name: 'slack',
    port: () => port,

    async start(handle: Handle) {
      let team = 'every workspace that installs it';
      if (access.kind === 'token') {
        const known = await introduce(access.botToken);
        own = known;
        team = known.team;
        await engine.conversations.openWorkspace(known.teamId, known.team);
      }
      receiver = createReceiver();
      const app = new App({
        receiver,
        logger: boltLog,
        clientOptions: clientOptions(apiUrl, boltLog),
        ignoreSelf: false,
        convoStore: false,
        tokenVerificationEnabled: false,
        ...(access.kind === 'token'
          ? {
              authorize: async () => ({
                botToken: access.botToken,
                botUserId: own?.botUserId ?? '',
                ...(own?.botId === undefined ? {} : { botId: own.botId }),
              }),
            }
          : {}),
      });
      const keeping = createFrontInbox({
        engine,
        front: 'slack',
        folder: join(options.dataDir, 'inbox', 'slack'),
        redo: (event) => arrivals.redo(event),
        patienceMs: keepPatienceMs,
        now,
        after,
        log,
      });
      const arrivals = createArrivals({ inbox: keeping, process: app.processEvent.bind(app) });
      inbox = keeping;
      began = arrivals.began;
      app.processEvent = (event) => {
        const arrivedAtMs = now().getTime();
        unacknowledged += 1;
        let waiting = true;
        const told = () => {
          if (waiting) unacknowledged -= 1;
          waiting = false;
        };
        const ack: typeof event.ack = async (response) => {
          await event.ack(response);
          told();
          options.meter?.acknowledged('slack', now().getTime() - arrivedAtMs);
        };
        return arrivals.take({ ...event, ack }).finally(told);
      };
      app.error(async (error) => log.error({ err: error }, 'Slack: an event could not be taken in'));
      const intake = createIntake({
        engine,
        places,
        downloadsOf,
        handle: (incoming) => (arrivals.wasCutShort(incoming.key) ? tellCutShort(incoming) : handle(incoming)),
        deliver: delivery.deliver,
        now,
      });
      listen(app, {
        engine,
        intake,
        arrivals,
        places,
        apiOf,
        directMessage,
        deliver: delivery.deliver,
        dataDir: options.dataDir,
        pageUrl: options.pageUrl,
        log,
        now,
        work,
        forget: (workspaceId) => {
          apis.delete(workspaceId);
          downloads.delete(workspaceId);
        },
        installations,
        answerAt: (place, url) => {
          if (responseUrls.size > 2000) responseUrls.clear();
          responseUrls.set(JSON.stringify([place.workspaceId, place.conversationId]), url);
        },
      });
      state = 'reconnecting';
      try {
        const started: unknown = await app.start(
          ...(transport.kind === 'http' ? [{ port: transport.port, host: transport.host }] : []),
        );
        port = portOf(started);
        if (started instanceof Server) {
          started.on('request', (_request, response) => {
            unacknowledged += 1;
            response.once('close', () => {
              unacknowledged -= 1;
            });
          });
        }
      } catch (error) {
        state = 'off';
        await receiver.stop().catch(() => undefined);
        if (transport.kind === 'sockets')
          throw refusal('SLACK_APP_TOKEN', toProblem('apps.connections.open', error), apiUrl);
        throw portTaken(error, transport.port);
      }
      if (transport.kind === 'http') state = 'connected';
      else if (connected > 0) state = 'connected';
      await delivery.resume(await engine.conversations.workspaces());
      keeping.start();
      endReminders = startReminders({ engine, directMessage, deliver: delivery.deliver, now, after, log });
      if (lacking.length > 0) log.warn({ lacking }, 'Slack: scopes are missing; `finetutor doctor` says what for');
      const how =
        transport.kind === 'sockets' ? 'Socket Mode' : `HTTP on port ${port ?? transport.port}, /slack/events`;
      return state === 'connected'
        ? `Slack: ${team} (${how})`
        : `Slack: ${team}; it can't be reached yet (${problem}), I keep trying`;
    },

    deliver: delivery.deliver,

    async stop() {
      state = 'off';
      endReminders();
      await inbox?.stop();
      await receiver?.stop().catch((error: unknown) => log.debug({ err: error }, 'Slack: was not listening'));
      receiver = undefined;
      // What Slack makes us wait for is kept, and taken up by the next start.
      let cancel = () => {};
      const enough = new Promise<void>((resolve) => {
        cancel = after(options.longestStopMs ?? standardStopMs, resolve);
      });
      await Promise.race([Promise.all(underWay).then(() => delivery.drain()), enough]);
      cancel();
    },

    vitals() {
      const states = [...apis.values()].map(({ circuit }) => circuit.state());
      const { unauthorised, forbidden, rateLimited } = counts;
      return {
        connected: state === 'connected',
        reconnects,
        refused: { 401: unauthorised, 403: forbidden, 429: rateLimited },
        circuit: states.find((one) => one === 'open') ?? states.find((one) => one === 'half-open') ?? 'closed',
      };
    },

    health() {
      const troubled = [...apis].flatMap(([workspaceId, { lastProblem }]) =>
        lastProblem === undefined ? [] : [{ workspaceId, problem: lastProblem }],
      );
      return {
        state: state === 'connected' && access.kind === 'token' && troubled.length > 0 ? 'refused' : state,
        sockets: transport.kind === 'sockets' ? connected : undefined,
        problem: problem ?? troubled[0]?.problem,
        troubled,
        refused: { ...counts },
        missingScopes: lacking,
      };
    },
  };
}

const portOf = (server: unknown): number | undefined => {
  if (typeof server !== 'object' || server === null || !('address' in server) || typeof server.address !== 'function')
    return undefined;
  const address: unknown = server.address();
  if (typeof address !== 'object' || address === null || !('port' in address)) return undefined;
  return typeof address.port === 'number' ? address.port : undefined;
};

function refusal(setting: string, problem: SlackProblem, apiUrl: string): UserError {
  const why =
    problem.trouble === 'unsure'
      ? `Slack can't be reached at ${new URL(apiUrl).host} (${problem.code}).`
      : `Slack does not take ${setting}: ${problem.code}.`;
  const hint: { readonly [code: string]: string } = {
    missing_scope: 'The app-level token needs the scope connections:write.',
    not_allowed_token_type:
      'SLACK_BOT_TOKEN begins with xoxb-, SLACK_APP_TOKEN with xapp-: look whether they are swapped.',
    token_revoked: 'The token was revoked: reinstall the app and copy the new one.',
    account_inactive: 'The app was removed from the workspace: install it again and copy the new token.',
  };
  const next =
    problem.trouble === 'unsure'
      ? 'Check the network, and SLACK_API_URL if it is set.'
      : (hint[problem.code] ?? 'Copy it again from the app’s page on api.slack.com/apps. docs/slack.md shows where.');
  return new UserError(why, next, { cause: problem });
}

function portTaken(error: unknown, port: number): unknown {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return new UserError(
      `Port ${port} is taken by another program.`,
      'Stop that program, or set SLACK_PORT to another number.',
      {
        cause: error,
      },
    );
  }
  return error;
}
