// Trades a refresh token for new ones. https://docs.slack.dev/authentication/using-token-rotation
import { webApi } from '@slack/bolt';
import type { SlackAccess } from './access.ts';
import { clientOptions, SlackProblem, toProblem } from './api.ts';
import type { BoltLog } from './bolt-log.ts';
import type { Rotated } from './installations.ts';

export interface RotationOptions {
  readonly access: Extract<SlackAccess, { kind: 'oauth' }>;
  readonly apiUrl: string;
  readonly log: BoltLog;
  readonly now: () => Date;
}

/** @returns what trades a token, which serves once. It throws a SlackProblem. */
export function createRotation({ access, apiUrl, log, now }: RotationOptions) {
  return async (refreshToken: string): Promise<Rotated> => {
    const client = new webApi.WebClient(undefined, clientOptions(apiUrl, log));
    const answer = await client.oauth.v2
      .access({
        client_id: access.clientId,
        client_secret: access.clientSecret,
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
