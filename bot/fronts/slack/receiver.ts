// What Bolt receives from: sockets we open, or requests Slack sends, with the pages by which workspaces install the app.
import { createHash } from 'node:crypto';
import { HTTPReceiver, type Receiver } from '@slack/bolt';
import { UserError } from '../../../engine/index.ts';
import type { SlackAccess, SlackTransport } from './access.ts';
import { clientOptions } from './api.ts';
import type { BoltLog } from './bolt-log.ts';
import type { Installations } from './installations.ts';
import { scopeNames } from './scopes.ts';
import { createSockets, type SocketsOptions } from './sockets.ts';

const socketCount = 2;

export interface ReceiverOptions extends Pick<SocketsOptions, 'apiUrl' | 'log' | 'after' | 'onChange'> {
  readonly access: SlackAccess;
  readonly transport: SlackTransport;
  readonly installations: Installations | undefined;
}

export function createReceiver(options: ReceiverOptions): Receiver {
  const { access, transport, installations, apiUrl, log, after, onChange } = options;
  if (transport.kind === 'sockets') {
    return createSockets({ appToken: transport.appToken, apiUrl, count: socketCount, log, after, onChange });
  }
  return new HTTPReceiver({
    signingSecret: transport.signingSecret,
    port: transport.port,
    logger: log,
    ...(access.kind === 'oauth' && installations !== undefined
      ? installerOptions(access, installations, apiUrl, log)
      : {}),
  });
}

function installerOptions(
  oauth: Extract<SlackAccess, { kind: 'oauth' }>,
  store: Installations,
  apiUrl: string,
  log: BoltLog,
) {
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
      clientOptions: clientOptions(apiUrl, log),
      ...(authorizationUrl === undefined ? {} : { authorizationUrl }),
      ...(redirectUri === undefined ? {} : { redirectUriPath: new URL(redirectUri).pathname }),
    },
  };
}

export const portOf = (server: unknown): number | undefined => {
  if (typeof server !== 'object' || server === null || !('address' in server) || typeof server.address !== 'function')
    return undefined;
  const address: unknown = server.address();
  if (typeof address !== 'object' || address === null || !('port' in address)) return undefined;
  return typeof address.port === 'number' ? address.port : undefined;
};

export function portTaken(error: unknown, port: number): unknown {
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
