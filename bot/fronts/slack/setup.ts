// Settings → how Slack is to be reached; what is missing or of the wrong kind is said in words, before anything is tried.
import { UserError } from '../../../engine/index.ts';
import type { SlackAccess, SlackTransport } from './access.ts';

export interface SlackSettings {
  readonly slackBotToken: string | undefined;
  readonly slackAppToken: string | undefined;
  readonly slackSigningSecret: string | undefined;
  readonly slackClientId: string | undefined;
  readonly slackClientSecret: string | undefined;
  readonly slackPort: number;
  readonly secretsKey: string | undefined;
}

export interface SlackSetup {
  readonly access: SlackAccess;
  readonly transport: SlackTransport;
}

/**
 * @returns undefined where nothing of Slack is set.
 * @throws UserError naming the setting to add or to correct.
 */
export function readSetup(settings: SlackSettings): SlackSetup | undefined {
  const { slackBotToken, slackAppToken, slackSigningSecret, slackClientId, slackClientSecret } = settings;
  const anything = [slackBotToken, slackAppToken, slackSigningSecret, slackClientId, slackClientSecret];
  if (anything.every((value) => value === undefined)) return undefined;
  return { access: readAccess(settings), transport: readTransport(settings) };
}

function readAccess({ slackBotToken, slackClientId, slackClientSecret, secretsKey }: SlackSettings): SlackAccess {
  if (slackBotToken !== undefined) {
    if (!slackBotToken.startsWith('xoxb-')) throw wrongKind('SLACK_BOT_TOKEN', 'xoxb-', 'OAuth & Permissions');
    return { kind: 'token', botToken: slackBotToken };
  }
  if (slackClientId === undefined || slackClientSecret === undefined) {
    throw new UserError(
      'Slack has no SLACK_BOT_TOKEN.',
      'Copy it from OAuth & Permissions of your app; or set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET to let workspaces install it.',
    );
  }
  if (secretsKey === undefined) {
    throw new UserError(
      'SECRETS_KEY is needed to keep the tokens of workspaces that install the app.',
      'Make one with `openssl rand -hex 32` and set it; keep it, or every workspace must install the app again.',
    );
  }
  return { kind: 'oauth', clientId: slackClientId, clientSecret: slackClientSecret, sealKey: secretsKey };
}

function readTransport({ slackAppToken, slackSigningSecret, slackBotToken, slackPort }: SlackSettings): SlackTransport {
  if (slackAppToken !== undefined && slackBotToken !== undefined) {
    if (!slackAppToken.startsWith('xapp-'))
      throw wrongKind('SLACK_APP_TOKEN', 'xapp-', 'Basic Information, App-Level Tokens');
    return { kind: 'sockets', appToken: slackAppToken };
  }
  if (slackSigningSecret !== undefined) return { kind: 'http', signingSecret: slackSigningSecret, port: slackPort };
  throw new UserError(
    slackBotToken === undefined
      ? 'Slack has no SLACK_SIGNING_SECRET.'
      : 'Slack has neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET.',
    slackBotToken === undefined
      ? 'Workspaces install the app over HTTP: copy the signing secret from Basic Information.'
      : 'Set SLACK_APP_TOKEN for Socket Mode (no public address needed), or SLACK_SIGNING_SECRET for HTTP.',
  );
}

function wrongKind(setting: string, begins: string, page: string): UserError {
  return new UserError(
    `${setting} is not of the right kind: it begins with ${begins}.`,
    `Copy it from ${page} of your app on api.slack.com/apps.`,
  );
}
