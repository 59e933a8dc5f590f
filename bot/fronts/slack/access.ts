// How Slack is reached: whose tokens, and over what.

export const slackApiUrl = 'https://slack.com/api/';

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
