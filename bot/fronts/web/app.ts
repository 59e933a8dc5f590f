// The routes of the page. Each is a thin edge: checks, one call inwards, an answer.
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { z } from 'zod';
import { UserError } from '../../../engine/index.ts';
import { loadAssets } from './assets.ts';
import { renderNoPassage, renderPassage } from './document-pages.ts';
import type { Downloads } from './downloads.ts';
import type { PageDrawings } from './drawings.ts';
import { type Exchange, workspaceId } from './exchange.ts';
import type { WebFrontOptions } from './front.ts';
import { fences, refuseForeigners } from './guard.ts';
import { renderChapter, renderContents, renderNotFound } from './guide-pages.ts';
import type { Live } from './live.ts';
import { comeAgain, iconSvg, renderChat, renderShell } from './page.ts';
import { formatBytes, type Markup } from './render.ts';
import {
  conversationOf,
  homeChat,
  isChat,
  newChat,
  openSession,
  readChat,
  readPerson,
  rememberChat,
} from './session.ts';
import { submissionSchema } from './submissions.ts';
import { type Uploads, UploadTooLarge } from './uploads.ts';
import type { Refusal, StreamEvents, UploadTaken } from './wire.ts';

const bodyLimitBytes = 2 * 1024 * 1024;
const heartbeatMs = 15_000;
const immutable = 'public, max-age=31536000, immutable';

const stranger = { message: 'There is nothing at this address', hint: 'Open it from the chat it was cited in.' };

const noSession: Refusal = { message: 'This page has lost its session.', hint: 'Reload it and try again.' };

export function createApp(
  parts: WebFrontOptions & {
    live: Live;
    uploads: Uploads;
    downloads: Downloads;
    exchange: Exchange;
    drawings: PageDrawings;
  },
): Hono {
  const { host, engine, guide, commands, log, now, live, uploads, downloads, exchange, drawings } = parts;
  const startedAt = now().getTime();
  const guidePage = async (title: string, body: Markup) =>
    renderShell({ title: `${title} · Finetutor`, assets: await loadAssets(), here: 'guide', body });

  const app = new Hono();
  app.use(fences);
  app.use(refuseForeigners(host));

  app.get('/healthz', (context) =>
    context.json({
      status: 'ok',
      front: 'web',
      uptimeSeconds: Math.round((now().getTime() - startedAt) / 1000),
      fronts: parts.health?.() ?? {},
    }),
  );
  app.get('/metrics', async (context) => {
    const { metrics } = parts;
    if (metrics === undefined) return context.notFound();
    return context.body(await metrics.text(), 200, { 'content-type': metrics.contentType });
  });
  app.get('/icon.svg', (context) => context.body(iconSvg, 200, { 'content-type': 'image/svg+xml' }));

  app.get('/', async (context) => {
    const chat = readChat(context);
    return chat === homeChat ? showChat(homeChat, context) : context.redirect(`/chat/${chat}`);
  });
  app.get('/chat/:chat', async (context) => {
    const chat = context.req.param('chat');
    return isChat(chat) ? showChat(chat, context) : context.notFound();
  });

  async function showChat(chat: string, context: Parameters<typeof openSession>[0]) {
    context.header('cache-control', 'no-store');
    if (readPerson(context) === undefined && context.req.header('sec-fetch-site') === 'cross-site')
      return context.html(comeAgain);
    const personId = openSession(context);
    rememberChat(context, chat);
    const messages = await exchange.updates(personId, chat, 0);
    const body = renderChat(messages.map((message) => message.html).join('\n'));
    const data = {
      chat,
      after: Math.max(0, ...messages.map(({ updatedAt }) => updatedAt)),
      uploadLimitBytes: uploads.limitBytes,
      commands: commands ?? [],
    };
    return context.html(renderShell({ title: 'Finetutor', assets: await loadAssets(), here: 'chat', body, data }));
  }

  app.post('/chats', (context) => {
    if (readPerson(context) === undefined) return context.json(noSession, 401);
    return context.json({ chat: newChat() }, 201);
  });

  app.get('/events', (context) => {
    const personId = readPerson(context);
    const query = z
      .object({ chat: z.string().refine(isChat), after: z.coerce.number().int().min(0).catch(0) })
      .safeParse({
        chat: context.req.query('chat'),
        after: context.req.header('last-event-id') ?? context.req.query('after'),
      });
    if (personId === undefined) return context.json(noSession, 401);
    if (!query.success) return context.json<Refusal>({ message: 'No such chat.', hint: 'Open the page anew.' }, 400);
    const { chat, after } = query.data;
    context.header('x-accel-buffering', 'no');

    const tell = async (stream: SSEStreamingApi) => {
      const ended = new AbortController();
      const send = <Name extends keyof StreamEvents>(event: Name, data: StreamEvents[Name]) => {
        const id = 'updatedAt' in data ? { id: String(data.updatedAt) } : {};
        void stream.writeSSE({ event, data: JSON.stringify(data), ...id }).catch(() => ended.abort());
      };
      stream.onAbort(() => ended.abort());
      // Live updates are held back until what was missed has been sent, so that the order stays.
      const held: (() => void)[] = [];
      let caughtUp = false;
      const listener = {
        personId,
        send: <Name extends keyof StreamEvents>(name: Name, data: StreamEvents[Name]) => {
          if (caughtUp) send(name, data);
          else held.push(() => send(name, data));
        },
        close: () => ended.abort(),
      };
      const leave = live.listen(conversationOf(personId, chat), listener);
      const heartbeat = setInterval(() => send('ping', { at: now().getTime() }), heartbeatMs);
      try {
        for (const update of await exchange.updates(personId, chat, after)) send('message', update);
        send('working', { keys: exchange.working(personId, chat) });
        caughtUp = true;
        for (const release of held) release();
        if (!ended.signal.aborted)
          await new Promise((resolve) => ended.signal.addEventListener('abort', resolve, { once: true }));
      } finally {
        clearInterval(heartbeat);
        leave();
      }
    };
    return streamSSE(context, tell, async (error) => log.error({ err: error }, 'a live stream broke'));
  });

  app.post(
    '/submissions',
    bodyLimit({
      maxSize: bodyLimitBytes,
      onError: (context) =>
        context.json<Refusal>(
          { message: `That message is over ${formatBytes(bodyLimitBytes)}.`, hint: 'Send it as a file, or in parts.' },
          413,
        ),
    }),
    async (context) => {
      const personId = readPerson(context);
      if (personId === undefined) return context.json(noSession, 401);
      const parsed = submissionSchema.safeParse(await context.req.json().catch(() => undefined));
      if (!parsed.success) {
        const problem = z.prettifyError(parsed.error);
        return context.json<Refusal>(
          { message: `The page sent something unexpected: ${problem}`, hint: 'Reload the page.' },
          400,
        );
      }
      const refusal = await exchange.submit(personId, parsed.data);
      return refusal === undefined ? context.json({ taken: true }, 202) : context.json(refusal, 410);
    },
  );

  app.post('/uploads', async (context) => {
    const personId = readPerson(context);
    if (personId === undefined) return context.json(noSession, 401);
    const name = context.req.query('name') ?? '';
    const declaredBytes = Number(context.req.header('content-length') ?? 0);
    try {
      const id = await uploads.receive(personId, name, declaredBytes, context.req.raw.body);
      return context.json<UploadTaken>({ id }, 201);
    } catch (error) {
      // The sender hung up: nobody is left to answer, and nothing of ours failed.
      if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return context.body(null, 400);
      if (!(error instanceof UploadTooLarge)) throw error;
      context.header('connection', 'close');
      return context.json<Refusal>(
        {
          message: `The file is larger than ${formatBytes(uploads.limitBytes)}.`,
          hint: 'Send a part of it: a few thousand rows are plenty for a first run.',
        },
        413,
      );
    }
  });

  app.get('/assets/:name', async (context) => {
    const asset = (await loadAssets()).get(context.req.param('name'));
    if (asset === undefined) return context.notFound();
    return context.body(asset.bytes, 200, { 'content-type': asset.type, 'cache-control': immutable });
  });

  app.get('/pictures/:file{[0-9a-f]{64}\\.png}', async (context) => {
    const png = await engine.pictures.get(context.req.param('file').slice(0, -'.png'.length));
    if (png === undefined) return context.notFound();
    return context.body(new Uint8Array(png), 200, { 'content-type': 'image/png', 'cache-control': immutable });
  });

  app.get('/files/*', async (context) => {
    const found = await downloads.find(decodePath(new URL(context.req.url).pathname.slice('/files/'.length)));
    if (found === undefined) return context.notFound();
    const name = encodeURIComponent(basename(found.path));
    return context.body(Readable.toWeb(createReadStream(found.path)) as ReadableStream, 200, {
      'content-type': 'application/octet-stream',
      'content-length': String(found.bytes),
      'content-disposition': `attachment; filename*=UTF-8''${name}`,
    });
  });

  app.get('/guide', async (context) =>
    guide === undefined ? context.notFound() : context.html(await guidePage('The guide', renderContents(guide))),
  );
  app.get('/guide/:chapter', async (context) => {
    const wanted = context.req.param('chapter');
    const chapter = guide?.chapter(wanted);
    return guide === undefined || chapter === undefined
      ? context.html(await guidePage('Not found', renderNotFound(guide, wanted)), 404)
      : context.html(await guidePage(chapter.title, await renderChapter(guide, chapter, drawings)));
  });

  app.get('/documents/:id/:passage{[0-9]{1,7}}', async (context) => {
    context.header('cache-control', 'no-store');
    // Only who has a session here belongs to this workspace; of another one's documents nothing is found.
    if (readPerson(context) === undefined)
      return context.html(await guidePage('Not found', renderNoPassage(stranger)), 404);
    const [documentId, number] = [context.req.param('id'), Number(context.req.param('passage'))];
    try {
      const found = await engine.material.passage({ workspaceId, channelId: undefined }, documentId, number);
      return context.html(await guidePage(found.title, renderPassage({ ...found, documentId, number })));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return context.html(await guidePage('Not found', renderNoPassage(error)), 404);
    }
  });

  app.notFound(async (context) => context.html(await guidePage('Not found', renderNotFound(guide, undefined)), 404));

  app.onError((error, context) => {
    if (error instanceof HTTPException) return error.getResponse();
    const id = randomUUID().slice(0, 8);
    log.error({ err: error, id, path: context.req.path }, 'a request failed');
    return context.json<Refusal>(
      { message: 'Something went wrong on our side.', hint: `Try again; the log knows it as ${id}.` },
      500,
    );
  });
  return app;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '\0';
  }
}
