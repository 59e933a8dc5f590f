// The first words with Slack: who we are there and what we may do; a refusal in words, with what to do next.
import { webApi } from '@slack/bolt';
import { UserError } from '../../../engine/index.ts';
import { clientOptions, type SlackProblem, toProblem } from './api.ts';
import type { BoltLog } from './bolt-log.ts';

/** Each part as far as it was said: other servers that speak the protocol may leave some out. */
export interface Introduction {
  readonly botUserId: string | undefined;
  readonly botId: string | undefined;
  readonly teamId: string | undefined;
  readonly team: string;
  /** Scopes of the token. */
  readonly granted: readonly string[] | undefined;
}

/** Asks Slack who we are. @throws UserError when it does not take the token. */
export async function introduce(botToken: string, apiUrl: string, log: BoltLog): Promise<Introduction> {
  const client = new webApi.WebClient(botToken, clientOptions(apiUrl, log));
  try {
    const answer = await client.auth.test();
    return {
      botUserId: answer.user_id,
      botId: answer.bot_id,
      teamId: answer.team_id ?? answer.enterprise_id,
      team: answer.team ?? 'your workspace',
      granted: answer.response_metadata?.scopes,
    };
  } catch (error) {
    throw refusal('SLACK_BOT_TOKEN', toProblem('auth.test', error), apiUrl);
  }
}

export function refusal(setting: string, problem: SlackProblem, apiUrl: string): UserError {
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
