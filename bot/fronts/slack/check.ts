// doctor's look at Slack: whether the tokens are taken, which scopes are missing, and what to do next. Changes nothing.
import { webApi } from '@slack/bolt';
import { UserError } from '../../../engine/index.ts';
import { slackApiUrl } from './access.ts';
import { clientOptions, toProblem } from './api.ts';
import { createBoltLog } from './bolt-log.ts';
import { missingScopes } from './scopes.ts';
import { readSetup, type SlackSettings } from './setup.ts';

export interface SlackCheck {
  /** What is in place, a line each. */
  readonly found: readonly string[];
  /** What to mend, with the next step. */
  readonly problems: readonly string[];
}

const quiet = createBoltLog({ warn: () => {}, debug: () => {} });

/** @returns undefined where nothing of Slack is set. */
export async function checkSlack(
  settings: SlackSettings,
  apiUrl: string = slackApiUrl,
): Promise<SlackCheck | undefined> {
  const found: string[] = [];
  const problems: string[] = [];
  try {
    const setup = readSetup(settings);
    if (setup === undefined) return undefined;
    if (setup.access.kind === 'token') await checkBotToken(setup.access.botToken, apiUrl, found, problems);
    else found.push('Slack: workspaces install the app at /slack/install');
    if (setup.transport.kind === 'sockets') await checkAppToken(setup.transport.appToken, apiUrl, found, problems);
    else found.push(`Slack: listens on port ${setup.transport.port}; its Request URL ends in /slack/events`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problems.push(`${error.message} ${error.hint}`);
  }
  return { found, problems };
}

const client = (token: string, apiUrl: string) => new webApi.WebClient(token, clientOptions(apiUrl, quiet, 10_000));

async function checkBotToken(token: string, apiUrl: string, found: string[], problems: string[]) {
  try {
    const answer = await client(token, apiUrl).auth.test();
    found.push(`Slack: ${answer.user} in ${answer.team}`);
    const granted = answer.response_metadata?.scopes;
    for (const { scope, purpose } of granted === undefined ? [] : missingScopes(granted)) {
      problems.push(
        `Slack: the scope ${scope} is missing, ${purpose}. Add it under OAuth & Permissions and reinstall the app.`,
      );
    }
  } catch (error) {
    const { code, trouble } = toProblem('auth.test', error);
    problems.push(
      trouble === 'unsure'
        ? `Slack can't be reached (${code}). Check the network, and SLACK_API_URL if it is set.`
        : `Slack does not take SLACK_BOT_TOKEN: ${code}. Copy it again from OAuth & Permissions of your app.`,
    );
  }
}

async function checkAppToken(token: string, apiUrl: string, found: string[], problems: string[]) {
  try {
    await client(token, apiUrl).apps.connections.open({});
    found.push('Slack: Socket Mode is on');
  } catch (error) {
    const { code, trouble } = toProblem('apps.connections.open', error);
    if (trouble === 'unsure') return; // Said once, by the bot's token.
    problems.push(
      `Slack does not take SLACK_APP_TOKEN: ${code}. Make one under Basic Information, App-Level Tokens, with the scope connections:write, and turn Socket Mode on.`,
    );
  }
}
