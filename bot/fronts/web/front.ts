// The web front: a page on this computer, with a live stream to it and submissions from it.
import { once } from 'node:events';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { type Engine, maxUploadBytes, UserError } from '../../../engine/index.ts';
import type { Guide } from '../../../knowledge/index.ts';
import type { Front } from '../front.ts';
import { createApp } from './app.ts';
import { createDownloads } from './downloads.ts';
import { createDrawings } from './drawings.ts';
import { createExchange } from './exchange.ts';
import { createLive } from './live.ts';
import { createUploads } from './uploads.ts';
import type { PageData } from './wire.ts';

interface Log {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface WebFrontOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly host: string;
  readonly engine: Pick<Engine, 'conversations' | 'material' | 'pictures'>;
  readonly guide?: Guide;
  /** Offered while a person types `/`. */
  readonly commands?: PageData['commands'];
  readonly dataDir: string;
  /** How the other fronts are, by name: /healthz tells it too. */
  readonly health?: () => object;
  /** What is counted, for /metrics. */
  readonly metrics?: { readonly contentType: string; text(): Promise<string> };
  readonly log: Log;
  readonly now: () => Date;
}

export function createWebFront(options: WebFrontOptions): Front & { readonly address: string } {
  const { engine, dataDir, log, now, host } = options;
  const live = createLive();
  const uploads = createUploads({ folder: join(dataDir, 'uploads'), limitBytes: maxUploadBytes });
  const downloads = createDownloads(dataDir);
  const drawings = createDrawings(options.guide);
  const exchange = createExchange({
    conversations: engine.conversations,
    live,
    uploads,
    fileHref: downloads.hrefOf,
    drawings,
    log,
    now,
  });
  const app = createApp({ ...options, live, uploads, downloads, exchange, drawings });
  let server: Server | undefined;
  let address = `http://${host}:${options.port}`;

  return {
    name: 'web',
    get address() {
      return address;
    },
    async start(handle) {
      await uploads.open();
      await exchange.open(handle);
      const started = createAdaptorServer({ fetch: app.fetch, hostname: host });
      if (!('closeAllConnections' in started)) throw new Error('the web page needs a plain HTTP server');
      started.listen(options.port, host);
      try {
        await once(started, 'listening');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
          throw new UserError(
            `Port ${options.port} is taken by another program.`,
            'Stop that program, or set PORT to another number.',
            { cause: error },
          );
        throw error;
      }
      server = started;
      const bound = started.address();
      if (bound !== null && typeof bound === 'object') address = `http://${host}:${bound.port}`;
      return `web page on ${address}`;
    },
    deliver: exchange.deliver,
    async stop() {
      live.closeAll();
      const stopping = server;
      server = undefined;
      if (stopping !== undefined) {
        const closed = once(stopping, 'close');
        stopping.close();
        stopping.closeAllConnections();
        await closed;
      }
      await exchange.idle();
      await uploads.close();
    },
  };
}
