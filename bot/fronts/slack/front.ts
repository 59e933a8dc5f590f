// The Slack front: Bolt's listeners at one end, replies as Block Kit at the other.
import { Server } from 'node:http';
import { join } from 'node:path';
import { App, type Receiver } from '@slack/bolt';
import type { Logger } from 'pino';
import { type Engine, UserError } from '../../../engine/index.ts';
import type { Incoming } from '../../chat/message.ts';
import type { Meter } from '../../chat/meter.ts';
import { apology } from '../../chat/reply.ts';
import type { Front, Handle, Vitals } from '../front.ts';
import { createFrontInbox, type FrontInbox } from '../inbox.ts';
import { createTurnstile } from '../turnstile.ts';
import { type SlackAccess, type SlackTransport, slackApiUrl } from './access.ts';
import { createAcknowledging } from './acknowledging.ts';
import { type Counts, clientOptions, toProblem } from './api.ts';
import { type Arrivals, createArrivals } from './arrivals.ts';
import { createBoltLog } from './bolt-log.ts';
import { createDelivery } from './delivery.ts';
import { createInstallations, type Installations } from './installations.ts';
import { createIntake } from './intake.ts';
import { type Introduction, introduce, refusal } from './introduction.ts';
import { listen } from './listen.ts';
import { createNotices } from './notices.ts';
import { createPlaces } from './places.ts';
import { createReceiver, portOf, portTaken } from './receiver.ts';
import { startReminders } from './reminders.ts';
import { createRotation } from './rotation.ts';
import { missingScopes } from './scopes.ts';
import { createSeal } from './seal.ts';
import type { SocketsOptions } from './sockets.ts';
import { createCharts } from './uploads.ts';
import { createWorkspaces } from './workspaces.ts';

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
  const installations: Installations | undefined =
    access.kind === 'oauth'
      ? createInstallations({
          engine,
          seal: createSeal(access.sealKey),
          rotate: createRotation({ access, apiUrl, log: boltLog, now }),
          now,
        })
      : undefined;
  let own: Introduction | undefined;
  const workspaces = createWorkspaces({
    access,
    installations,
    apiUrl,
    dataDir: options.dataDir,
    counts,
    granted: () => own?.granted,
    log: boltLog,
    now,
  });
  const notices = createNotices({ workspaces, log });
  const places = createPlaces(engine.kept);
  const acknowledging = createAcknowledging(now, (delayMs) => options.meter?.acknowledged('slack', delayMs));
  const turnstile = createTurnstile(workedOnAtOnce, acknowledging.isUnderWay);
  const underWay = new Set<Promise<void>>();
  let connected = 0;
  let reconnects = 0;
  let problem: string | undefined;
  let state: SlackHealth['state'] = 'off';
  let lacking: readonly string[] = [];
  let receiver: Receiver | undefined;
  let port: number | undefined;
  let endReminders = () => {};
  let inbox: FrontInbox | undefined;
  let began: Arrivals['began'] = () => {};

  const delivery = createDelivery({
    engine,
    apiOf: workspaces.apiOf,
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
    notify: notices.tell,
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

  function onSockets(change: Parameters<SocketsOptions['onChange']>[0]) {
    if (change.connected < connected) reconnects += 1;
    connected = change.connected;
    problem = change.problem?.code;
    if (state === 'off') return;
    state = connected > 0 ? 'connected' : change.problem?.trouble === 'credentials' ? 'refused' : 'reconnecting';
  }

  return {
    name: 'slack',
    port: () => port,

    async start(handle: Handle) {
      let team = 'every workspace that installs it';
      if (access.kind === 'token') {
        own = await introduce(access.botToken, apiUrl, boltLog);
        team = own.team;
        if (own.granted !== undefined) lacking = missingScopes(own.granted).map(({ scope }) => scope);
        if (own.teamId !== undefined) await engine.conversations.openWorkspace(own.teamId, own.team);
      }
      receiver = createReceiver({
        ...{ access, transport, installations, apiUrl, after },
        log: boltLog,
        onChange: onSockets,
      });
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
                ...(own?.botUserId === undefined ? {} : { botUserId: own.botUserId }),
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
      const arrivals = createArrivals({
        inbox: keeping,
        process: app.processEvent.bind(app),
        botUserId: () => own?.botUserId,
      });
      inbox = keeping;
      began = arrivals.began;
      app.processEvent = (event) => {
        const watched = acknowledging.watch(event);
        return arrivals.take(watched.event).finally(watched.settle);
      };
      app.error(async (error) => log.error({ err: error }, 'Slack: an event could not be taken in'));
      const intake = createIntake({
        engine,
        places,
        downloadsOf: workspaces.downloadsOf,
        handle: (incoming) => (arrivals.wasCutShort(incoming.key) ? tellCutShort(incoming) : handle(incoming)),
        deliver: delivery.deliver,
        now,
      });
      listen(app, {
        engine,
        intake,
        arrivals,
        places,
        apiOf: workspaces.apiOf,
        directMessage: workspaces.directMessage,
        deliver: delivery.deliver,
        dataDir: options.dataDir,
        pageUrl: options.pageUrl,
        log,
        now,
        work,
        forget: workspaces.forget,
        installations,
        answerAt: notices.answerAt,
      });
      state = 'reconnecting';
      try {
        const started: unknown = await app.start(
          ...(transport.kind === 'http' ? [{ port: transport.port, host: transport.host }] : []),
        );
        port = portOf(started);
        if (started instanceof Server) acknowledging.watchRequests(started);
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
      endReminders = startReminders({
        engine,
        directMessage: workspaces.directMessage,
        deliver: delivery.deliver,
        now,
        after,
        log,
      });
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
      const states = workspaces.circuits().map((circuit) => circuit.state());
      const { unauthorised, forbidden, rateLimited } = counts;
      return {
        connected: state === 'connected',
        reconnects,
        refused: { 401: unauthorised, 403: forbidden, 429: rateLimited },
        circuit: states.find((one) => one === 'open') ?? states.find((one) => one === 'half-open') ?? 'closed',
      };
    },

    health() {
      const troubled = workspaces.troubled();
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
