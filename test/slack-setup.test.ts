// Setting Slack up: the manifest, the guide to it, the settings, doctor, installing into many workspaces, sealed tokens.
import { readdir, readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { diagnose } from '../bot/cli/diagnose.ts';
import { commands } from '../bot/commands/index.ts';
import { prompts } from '../bot/fronts/slack/agent-view.ts';
import { events, scopeNames, scopes } from '../bot/fronts/slack/scopes.ts';
import { createSeal } from '../bot/fronts/slack/seal.ts';
import { readSetup } from '../bot/fronts/slack/setup.ts';
import { UserError } from '../engine/index.ts';
import { type SlackBot, startSlackBot } from './support/slack-bot.ts';
import { createSlackServer, type SlackServer } from './support/slack-server.ts';
import { everyScope } from './support/slack-server-options.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});
const soon = { timeout: 5000 };

describe('the manifest', () => {
  it('asks for the scopes that are needed and no other, and docs/slack.md explains each', async () => {
    const manifest = parse(await readFile('manifest.yaml', 'utf8'));
    expect(manifest.oauth_config.scopes.bot).toEqual(scopeNames);
    expect(manifest.oauth_config.scopes.user).toBeUndefined();
    const docs = await readFile('docs/slack.md', 'utf8');
    for (const scope of scopeNames) expect(docs).toContain(`| \`${scope}\` | ${scopes[scope]} |`);
  });

  it('subscribes to the events that are listened to and no other, and docs/slack.md explains each', async () => {
    const manifest = parse(await readFile('manifest.yaml', 'utf8'));
    expect(manifest.settings.event_subscriptions.bot_events).toEqual(Object.keys(events));
    const docs = await readFile('docs/slack.md', 'utf8');
    for (const [event, purpose] of Object.entries(events)) expect(docs).toContain(`| \`${event}\` | ${purpose} |`);
    const folder = 'bot/fronts/slack';
    const sources = await Promise.all(
      (await readdir(folder))
        .filter((name) => name !== 'scopes.ts')
        .map((name) => readFile(`${folder}/${name}`, 'utf8')),
    );
    for (const event of Object.keys(events)) {
      const [name = ''] = event.split('.');
      // Bolt's own name for a step of Workflow Builder that is run.
      const listener = name === 'function_executed' ? /app\.function\(/ : new RegExp(`app\\.event\\(.*\\b${name}\\b`);
      expect(
        sources.some((source) => listener.test(source)),
        event,
      ).toBe(true);
    }
  });

  it('offers the prompts, commands and shortcuts that the bot knows', async () => {
    const { features, functions } = parse(await readFile('manifest.yaml', 'utf8'));
    expect(features.assistant_view).toBeUndefined();
    expect(features.agent_view.agent_description.length).toBeLessThanOrEqual(300);
    expect(features.agent_view.suggested_prompts).toEqual(prompts);
    const [slash] = features.slash_commands;
    for (const name of ['ask', 'explain', 'quiz', 'finetune', 'runs', 'help']) expect(slash.usage_hint).toContain(name);
    for (const name of slash.usage_hint.match(/[a-z]+/g)) expect(commands.map((one) => one.name)).toContain(name);
    expect(Object.keys(functions)).toEqual(['ask_guide', 'start_run']);
    for (const one of Object.values<{ input_parameters: object }>(functions))
      for (const [name, input] of Object.entries(one.input_parameters)) expect(input).toMatchObject({ name });
  });

  it('keeps to the lengths Slack takes', async () => {
    const { display_information: shown, features } = parse(await readFile('manifest.yaml', 'utf8'));
    expect(shown.name.length).toBeLessThanOrEqual(35);
    expect(shown.description.length).toBeLessThanOrEqual(140);
    expect(shown.long_description.length).toBeGreaterThanOrEqual(174);
    for (const { name, description } of features.shortcuts) {
      expect(name.length).toBeLessThanOrEqual(24);
      expect(description.length).toBeLessThanOrEqual(150);
    }
  });

  it('takes ten steps at most', async () => {
    const steps = (await readFile('docs/slack.md', 'utf8')).match(/^\d+\. /gm) ?? [];
    expect(steps.length).toBeGreaterThan(3);
    expect(steps.length).toBeLessThanOrEqual(10);
  });
});

describe('settings', () => {
  const none = {
    slackBotToken: undefined,
    slackAppToken: undefined,
    slackSigningSecret: undefined,
    slackClientId: undefined,
    slackClientSecret: undefined,
    slackPort: 3100,
    secretsKey: undefined,
  };
  const refusal = (settings: Partial<{ [N in keyof typeof none]: string }>) => {
    try {
      readSetup({ ...none, ...settings, slackPort: 3100 });
    } catch (error) {
      if (error instanceof UserError) return `${error.message} ${error.hint}`;
      throw error;
    }
    return 'taken';
  };

  it('choose Socket Mode, HTTP or many workspaces', () => {
    expect(readSetup(none)).toBeUndefined();
    expect(readSetup({ ...none, slackBotToken: 'xoxb-1', slackAppToken: 'xapp-1' })?.transport.kind).toBe('sockets');
    expect(readSetup({ ...none, slackBotToken: 'xoxb-1', slackSigningSecret: 's' })?.transport.kind).toBe('http');
    const many = {
      ...none,
      slackClientId: '1.2',
      slackClientSecret: 's',
      slackSigningSecret: 's',
      secretsKey: 'k'.repeat(32),
    };
    expect(readSetup(many)?.access.kind).toBe('oauth');
  });

  it('say what is missing or swapped, and never show a token', () => {
    expect(refusal({ slackBotToken: 'xoxb-1' })).toContain('neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET');
    expect(refusal({ slackAppToken: 'xapp-1' })).toContain('no SLACK_BOT_TOKEN');
    const swapped = refusal({ slackBotToken: 'xapp-secret', slackAppToken: 'xoxb-secret' });
    expect(swapped).toContain('SLACK_BOT_TOKEN is not of the right kind: it begins with xoxb-');
    expect(swapped).not.toContain('secret');
    expect(refusal({ slackClientId: '1', slackClientSecret: 's', slackSigningSecret: 's' })).toContain('SECRETS_KEY');
  });
});

describe('doctor', () => {
  const look = async (server: SlackServer, more = {}) => {
    const { slack } = await diagnose({
      DATA_DIR: '/tmp',
      SLACK_API_URL: server.apiUrl,
      SLACK_BOT_TOKEN: server.botToken,
      SLACK_APP_TOKEN: server.appToken,
      ...more,
    });
    return slack;
  };
  const open = async (options = {}) => {
    const server = await createSlackServer(options);
    cleanups.push(server.stop);
    return server;
  };

  it('finds tokens that are taken', async () => {
    expect(await look(await open())).toEqual({
      found: ['Slack: finetutor in Team', 'Slack: Socket Mode is on'],
      problems: [],
    });
  });

  it('names a missing scope with what it is for, a refused token, a server that is not there', async () => {
    const lacking = await look(await open({ scopes: everyScope.filter((scope) => scope !== 'files:write') }));
    expect(lacking?.problems).toEqual([
      expect.stringContaining('files:write is missing, to show charts and hand over trained models'),
    ]);
    const server = await open();
    server.revoke(server.botToken);
    expect((await look(server))?.problems[0]).toContain('does not take SLACK_BOT_TOKEN: token_revoked');
    expect((await look(server, { SLACK_API_URL: 'http://127.0.0.1:9/api/' }))?.problems[0]).toContain(
      "can't be reached",
    );
  });
});

describe('a seal', () => {
  it('opens what it sealed, for the same workspace, and nothing else', () => {
    const seal = createSeal('k'.repeat(32));
    const sealed = seal.seal('xoxb-secret', 'T1');
    expect(sealed).not.toContain('secret');
    expect(seal.open(sealed, 'T1')).toBe('xoxb-secret');
    expect(seal.seal('xoxb-secret', 'T1')).not.toBe(sealed);
    expect(() => seal.open(sealed, 'T2')).toThrow();
    expect(() => createSeal('j'.repeat(32)).open(sealed, 'T1')).toThrow();
    for (let at = 0; at < sealed.length; at += 5) {
      const letter = sealed[at] === 'A' ? 'B' : 'A';
      expect(() => seal.open(sealed.slice(0, at) + letter + sealed.slice(at + 1), 'T1')).toThrow();
    }
    expect(() => createSeal('short')).toThrow(RangeError);
  });
});

describe('installing into a workspace', () => {
  const signingSecret = '0123456789abcdef0123456789abcdef';
  let bot: SlackBot;

  async function open(server: { enterpriseId?: string } = {}) {
    bot = await startSlackBot({
      server: { ...server, http: { url: 'http://127.0.0.1:9/', signingSecret } },
      access: { kind: 'oauth', clientId: '1.2', clientSecret: 'client', sealKey: 'k'.repeat(40) },
      transport: { kind: 'http', signingSecret, port: 0, host: '127.0.0.1' },
    });
    cleanups.push(bot.stop);
    const base = `http://127.0.0.1:${bot.front().port()}`;
    bot.server.useHttp({ url: `${base}/slack/events`, signingSecret });
    return base;
  }

  /** What a person's browser does: asks to install, consents at Slack, comes back with a code. */
  async function install(base: string, grant: { [name: string]: unknown }) {
    const began = await fetch(`${base}/slack/install`, { redirect: 'manual' });
    const consent = new URL(began.headers.get('location') ?? '');
    expect(consent.searchParams.get('scope')?.split(',')).toEqual(scopeNames);
    bot.server.context.grants.set('code-1', grant);
    const back = `${base}/slack/oauth_redirect?code=code-1&state=${consent.searchParams.get('state')}`;
    const cookie = began.headers.get('set-cookie')?.split(';')[0] ?? '';
    return { back, finish: () => fetch(back, { headers: { cookie }, redirect: 'manual' }) };
  }

  const grantOf = (server: SlackServer, more = {}) => ({
    access_token: 'xoxb-installed',
    token_type: 'bot',
    scope: everyScope.join(','),
    bot_user_id: server.world.botUserId,
    app_id: server.world.appId,
    team: { id: server.world.teamId, name: 'Team' },
    enterprise: null,
    authed_user: { id: 'U1' },
    is_enterprise_install: false,
    ...more,
  });
  const allow = (server: SlackServer) =>
    server.grant('xoxb-installed', {
      team_id: server.world.teamId,
      user_id: server.world.botUserId,
      bot_id: server.world.botId,
    });

  it('keeps its token sealed, answers with it over a restart, and forgets it when the app is removed', async () => {
    const base = await open();
    const { server, ada, channel } = bot;
    const { finish } = await install(base, grantOf(server));
    allow(server);
    expect((await finish()).status).toBeLessThan(400);
    const [kept] = await bot.engine().kept.list(server.world.teamId, 'slack.installation');
    expect(String(kept?.value)).toMatch(/^v1\./);
    expect(JSON.stringify(kept)).not.toContain('xoxb');

    await server.say(ada, channel, '@finetutor what is dropout?');
    await expect.poll(() => server.read(ada, channel), soon).toContain('watch the gap');
    expect(server.calls.filter(({ method }) => method === 'chat.postMessage')).toHaveLength(1);

    await bot.restart();
    server.useHttp({ url: `http://127.0.0.1:${bot.front().port()}/slack/events`, signingSecret });
    await server.say(ada, channel, '@finetutor what is momentum?');
    await expect.poll(() => bot.engine().asked.length, soon).toBe(2);

    await server.sendEvent({ type: 'app_uninstalled' });
    await expect.poll(() => bot.engine().kept.list(server.world.teamId, 'slack.installation'), soon).toEqual([]);
  });

  it('refuses to finish an installation that this browser did not begin', async () => {
    const base = await open();
    const { back } = await install(base, grantOf(bot.server));
    expect((await fetch(back, { redirect: 'manual' })).status).toBeGreaterThanOrEqual(400);
    expect(await bot.engine().kept.list(bot.server.world.teamId, 'slack.installation')).toEqual([]);
  });

  it('serves every workspace of an organisation that installed it once', async () => {
    const base = await open({ enterpriseId: 'E0ORG' });
    const { server, ada, channel } = bot;
    const { finish } = await install(
      base,
      grantOf(server, { team: null, enterprise: { id: 'E0ORG', name: 'Org' }, is_enterprise_install: true }),
    );
    allow(server);
    expect((await finish()).status).toBeLessThan(400);
    await server.slash(ada, channel, 'what is dropout?');
    await expect.poll(() => server.read(ada, channel), soon).toContain('watch the gap');
    await server.press(ada, 'Quiz: Overfitting and underfitting');
    await expect.poll(() => server.read(ada, channel), soon).toContain('Question 1 of 2');
    expect(await bot.engine().kept.list('E0ORG', 'slack.installation')).toHaveLength(1);
  });

  it('answers nobody in a workspace that has not installed it', async () => {
    await open();
    const { server, ada, channel } = bot;
    await server.slash(ada, channel, 'what is dropout?');
    await server.say(ada, channel, '@finetutor what is dropout?');
    expect(server.calls).toEqual([]);
    expect(bot.engine().asked).toEqual([]);
  });
});
