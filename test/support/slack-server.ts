// A Slack to test against: Web API, Socket Mode, Events over HTTP with signatures and retries, response URLs, trigger ids
// that expire, file uploads, streaming. Strict: what Slack refuses is refused here with its error codes. Faults on request.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSlackLink, type SlackLink } from './slack-server-link.ts';
import type { MethodContext } from './slack-server-method.ts';
import { everyScope, type SlackServerOptions } from './slack-server-options.ts';
import { createSlackPeople, type SlackPeople } from './slack-server-people.ts';
import type { Fields } from './slack-server-rules.ts';
import { createSlackWeb, type SlackWeb } from './slack-server-web.ts';
import { type Channel, createWorld, isFields, type Person, type World } from './slack-server-world.ts';
import { realClock } from './stopped-clock.ts';

export interface SlackServer extends SlackPeople, Omit<SlackLink, 'stop'>, Omit<SlackWeb, 'serve' | 'newResponseUrl'> {
  readonly world: World;
  readonly apiUrl: string;
  readonly botToken: string;
  readonly appToken: string;
  /** Broken rules, in words; a good front leaves it empty. */
  readonly violations: string[];
  readonly context: MethodContext;
  addPerson(name: string): Person;
  addChannel(name: string, people: readonly Person[], options?: { readonly withBot?: boolean }): Channel;
  stop(): Promise<void>;
}

export async function createSlackServer(options: SlackServerOptions = {}): Promise<SlackServer> {
  const world = createWorld(options);
  const botToken = 'xoxb-test-1';
  const appToken = 'xapp-test-1';
  const { clock = realClock, triggerMs = 3000 } = options;
  const violations: string[] = [];
  const tokens = new Map<string, Fields | string>([
    [
      botToken,
      { team_id: world.teamId, team: 'Team', user_id: world.botUserId, bot_id: world.botId, user: 'finetutor' },
    ],
    [appToken, {}],
  ]);
  let baseUrl = '';

  const context: MethodContext = {
    world,
    baseUrl: () => baseUrl,
    nowMs: () => clock.now().getTime(),
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

  const web = createSlackWeb({ options, context, clock, tokens });
  const server = createServer((request, response) => {
    web.serve(request, response).catch((error: unknown) => {
      violations.push(`the server itself failed: ${error instanceof Error ? error.stack : String(error)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  const { stop: cutLink, ...link } = createSlackLink({ options, context, clock, server });
  const { serve: _, newResponseUrl, ...calls } = web;
  const { sendEvent, sendInteraction } = link;
  const people = createSlackPeople({ context, sendEvent, sendInteraction, newResponseUrl, botToken, triggerMs });

  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    ...people,
    ...link,
    ...calls,
    world,
    apiUrl: `${baseUrl}/api/`,
    botToken,
    appToken,
    violations,
    context,
    addPerson(name) {
      const person = { id: world.nextId('U'), name };
      world.people.set(person.id, person);
      return person;
    },
    addChannel(name, people, { withBot = true } = {}) {
      const members = new Set([...people.map((person) => person.id), ...(withBot ? [world.botUserId] : [])]);
      const channel: Channel = { id: world.nextId('C'), name, isIm: false, members };
      world.channels.set(channel.id, channel);
      return channel;
    },
    async stop() {
      cutLink();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
