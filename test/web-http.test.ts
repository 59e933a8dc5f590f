// The web page's edge, spoken to directly: who may, how much, where files end up, and what the live stream says.
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { fromHtml } from 'hast-util-from-html';
import { select, selectAll } from 'hast-util-select';
import { toText } from 'hast-util-to-text';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Incoming, Reply } from '../bot/chat/message.ts';
import { UserError } from '../engine/index.ts';
import { createFakeEngine, pixel } from './support/fake-engine.ts';
import { createSmallGuide } from './support/small-guide.ts';
import { createWebHarness, listen, type WebHarness } from './support/web-harness.ts';

const megabyte = 1024 * 1024;
const say = (markdown: string, more: Partial<Reply> = {}): Reply => ({
  audience: 'everyone',
  blocks: [{ kind: 'text', markdown }],
  ...more,
});

let engine: ReturnType<typeof createFakeEngine>;
let harness: WebHarness;
let received: Incoming[];
let logged: string[];
let answer: (incoming: Incoming) => Promise<void>;

beforeEach(async () => {
  engine = createFakeEngine();
  harness = await createWebHarness(engine, {
    guide: createSmallGuide(),
    log: { info: () => {}, error: (_fields, message) => logged.push(message) },
  });
  logged = [];
  received = [];
  answer = async () => {};
  await harness.start(async (incoming) => {
    received.push(incoming);
    await answer(incoming);
  });
});
afterEach(() => harness.stop());

const uploads = () => readdir(join(harness.dataDir, 'uploads'));
const text = async (response: Response) => toText(fromHtml(await response.text()));

/** A request written by hand, for what `fetch` will not send. */
function send(
  path: string,
  headers: Record<string, string>,
  write: (body: { write(bytes: Uint8Array, flushed?: () => void): boolean; end(): void }) => void = (body) =>
    body.end(),
  method = 'POST',
): Promise<{ status: number; body: string; written: () => number }> {
  const { hostname, port } = new URL(harness.address());
  return new Promise((resolve, reject) => {
    const sending = request({ hostname, port, path, method, headers: { cookie: harness.me().cookie, ...headers } });
    sending.on('response', async (response) => {
      let body = '';
      for await (const part of response) body += part;
      resolve({ status: response.statusCode ?? 0, body, written: () => sending.socket?.bytesWritten ?? 0 });
      sending.destroy();
    });
    sending.on('error', reject);
    write(sending);
  });
}

describe('who may speak to the page', () => {
  it('answers health checks', async () => {
    const response = await fetch(`${harness.address()}/healthz`);
    expect(await response.json()).toMatchObject({ status: 'ok', front: 'web' });
  });

  it.each(['evil.example', 'evil.example:3000', '127.0.0.1.evil.example', 'localhost@evil.example'])(
    'refuses the Host %s',
    async (host) => {
      for (const path of ['/', '/healthz', '/guide'])
        expect([400, 421]).toContain((await send(path, { host }, undefined, 'GET')).status);
    },
  );

  it('answers to localhost by any port, for a forwarded one', async () => {
    expect((await send('/healthz', { host: 'localhost:8080' }, undefined, 'GET')).status).toBe(200);
  });

  it.each(['http://evil.example', 'null', 'http://127.0.0.1:1', 'https://localhost'])(
    'refuses a submission and an upload from the Origin %s',
    async (origin) => {
      const body = JSON.stringify({ key: 'a'.repeat(8), chat: 'home', kind: 'message', text: 'hi' });
      const json = { 'content-type': 'application/json' };
      expect((await harness.me().post('/submissions', body, { ...json, origin })).status).toBe(403);
      expect((await harness.me().post('/uploads?name=x', 'x', { origin })).status).toBe(403);
      expect(received).toEqual([]);
      expect(await uploads()).toEqual([]);
    },
  );

  it('refuses a form post of another site even without an Origin', async () => {
    expect((await send('/submissions', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });

  it('refuses whoever has no session, and gives a strict one with the page', async () => {
    const page = await fetch(`${harness.address()}/`);
    const cookies = page.headers.getSetCookie();
    const person = cookies.find((cookie) => cookie.startsWith('finetutor_person='));
    expect(person).toMatch(/HttpOnly/);
    expect(person).toMatch(/SameSite=Strict/);
    for (const path of ['/submissions', '/uploads', '/chats'])
      expect((await fetch(harness.address() + path, { method: 'POST', body: '{}' })).status).toBe(401);
    expect((await fetch(`${harness.address()}/events?chat=home`)).status).toBe(401);
    expect(received).toEqual([]);
  });

  it('keeps the session of somebody who follows a link from another site', async () => {
    const response = await fetch(`${harness.address()}/`, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await response.text()).toContain('http-equiv="refresh"');
  });

  it('fences the page in: no inline script or style, no frame, no sniffing', async () => {
    const response = await harness.me().get('/');
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('same-origin');
    const page = fromHtml(await response.text());
    expect(selectAll('[style], style', page)).toEqual([]);
    expect(selectAll('script:not([src])', page).map(({ properties }) => properties.type)).toEqual(['application/json']);
  });
});

describe('a submission', () => {
  it('reaches the handler once per key, however often it is sent', async () => {
    const key = 'the-same-key';
    for (let time = 0; time < 3; time++)
      expect((await harness.me().submit({ kind: 'message', text: 'hello', key })).status).toBe(202);
    expect(received.map((incoming) => incoming.kind)).toEqual(['message']);
    expect(engine.messages.map(({ content }) => content)).toEqual([{ text: 'hello', attachments: [] }]);
    expect(received[0]).toMatchObject({
      place: { front: 'web', workspaceId: 'local' },
      person: { id: harness.me().personId },
    });
  });

  it('takes the same key of two people for two events', async () => {
    const other = await harness.visit();
    await harness.me().submit({ kind: 'message', text: 'mine', key: 'shared-key' });
    await other.submit({ kind: 'message', text: 'theirs', key: 'shared-key' });
    expect(new Set(received.map((incoming) => incoming.key)).size).toBe(2);
  });

  it.each([
    ['no JSON', '{'],
    ['an unknown kind', '{"key":"12345678","chat":"home","kind":"other"}'],
    ['a short key', '{"key":"1","chat":"home","kind":"message","text":"x"}'],
    ['a path as the chat', '{"key":"12345678","chat":"../x","kind":"message","text":"x"}'],
    ['a call without a command', '{"key":"12345678","chat":"home","kind":"action","call":{"args":{}}}'],
    ['an extra field', '{"key":"12345678","chat":"home","kind":"message","text":"x","person":"y"}'],
  ])('is refused for %s', async (_what, body) => {
    const response = await harness.me().post('/submissions', body, { 'content-type': 'application/json' });
    expect(response.status).toBe(400);
    expect(await response.json()).toHaveProperty('hint');
    expect(received).toEqual([]);
  });

  it('passes a message of 100,000 characters on and shows it folded', async () => {
    await harness.me().submit({ kind: 'message', text: 'ä'.repeat(100_000) });
    expect(received[0]).toMatchObject({ text: 'ä'.repeat(100_000) });
    expect(await harness.transcript()).toContain('Show all 100,000 characters');
  });

  it('of more than 2 MB is refused by its size, said or not', async () => {
    const body = JSON.stringify({ key: '12345678', chat: 'home', kind: 'message', text: 'x'.repeat(3 * megabyte) });
    const refused = await harness.me().post('/submissions', body, { 'content-type': 'application/json' });
    expect(refused.status).toBe(413);
    expect(await refused.text()).toContain('2.0 MB');
    expect(received).toEqual([]);
  });

  it('is told that its upload is gone rather than handled without it', async () => {
    const response = await harness
      .me()
      .submit({ kind: 'message', text: 'x', uploads: { file0: '00000000-0000-4000-8000-000000000000' } });
    expect(response.status).toBe(410);
    expect(received).toEqual([]);
  });
});

describe('an upload', () => {
  it('is a file of our own name while it is handled, and gone afterwards', async () => {
    let during: { path: string; name: string; content: string } | undefined;
    answer = async (incoming) => {
      if (incoming.kind !== 'message') return;
      const [file] = incoming.attachments;
      if (file) during = { ...file, content: await readFile(file.path, 'utf8') };
    };
    await harness.attach({ name: '../../evil\u0000/päth.csv', content: 'text,label\n' });
    await harness.say('here');
    await expect.poll(uploads).toEqual([]);
    expect(during).toMatchObject({ name: 'päth.csv', content: 'text,label\n' });
    expect(during?.path).toMatch(/uploads\/[0-9a-f-]{36}$/);
  });

  it('cannot be taken by somebody else', async () => {
    const id = await harness.me().upload({ name: 'mine.csv', content: 'secret' });
    const response = await (await harness.visit()).submit({ kind: 'message', text: 'x', uploads: { file0: id } });
    expect(response.status).toBe(410);
  });

  it('of 300 MB is refused by its declared size, before it is sent', async () => {
    const refused = await send('/uploads?name=big.csv', { 'content-length': String(300 * megabyte) }, (body) => {
      body.write(Buffer.alloc(1024));
    });
    expect(refused.status).toBe(413);
    expect(JSON.parse(refused.body).message).toBe('The file is larger than 200 MB.');
    expect(refused.written()).toBeLessThan(megabyte);
    expect(await uploads()).toEqual([]);
  });

  it('that does not say its size is cut off at the limit, and nothing stays', async () => {
    const chunk = Buffer.alloc(megabyte);
    let sent = 0;
    const refused = await send('/uploads?name=big.csv', { 'transfer-encoding': 'chunked' }, (body) => {
      const more = () => {
        if (sent++ >= 300) return body.end();
        body.write(chunk, more);
      };
      more();
    });
    expect(refused.status).toBe(413);
    expect(sent).toBeLessThan(300);
    await expect.poll(uploads).toEqual([]);
  });

  it('that breaks off leaves nothing', async () => {
    const { hostname, port } = new URL(harness.address());
    await new Promise<void>((resolve) => {
      const sending = request({
        hostname,
        port,
        path: '/uploads?name=half.csv',
        method: 'POST',
        headers: { cookie: harness.me().cookie, 'content-length': '1000' },
      });
      sending.on('error', () => resolve());
      sending.write('half', () => setTimeout(() => sending.destroy(new Error('unplugged')), 100));
    });
    await expect.poll(uploads).toEqual([]);
  });

  it('left by a killed process is cleared at the next start', async () => {
    await writeFile(join(harness.dataDir, 'uploads', 'left'), 'over');
    await harness.restart();
    expect(await uploads()).toEqual([]);
  });
});

describe('the live stream', () => {
  it('replays what was missed since the last event, in order, and then goes on', async () => {
    const { front, place } = harness;
    const me = { id: harness.me().personId, name: 'You' };
    await front.deliver(place, say('first'), me);
    const [first] = await listen(harness.me(), (events) => events.length >= 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await front.deliver(place, say('missed', { slot: 'card' }), me);
    await front.deliver(place, say('missed, edited', { slot: 'card' }), me);
    const listening = listen(harness.me(), (events) => events.filter(({ event }) => event === 'message').length >= 3, {
      headers: { 'last-event-id': first?.id ?? '' },
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await front.deliver(place, say('live'), me);
    const html = (await listening).flatMap(({ data }) => ('html' in data ? data.html : []));
    expect(html.map((one) => toText(fromHtml(one)).trim())).toEqual(['first', 'missed, edited', 'live']);
  });

  it('tells when a submission waits and when it has its first reply', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    answer = async ({ place, person }) => {
      await held;
      await harness.front.deliver(place, say('done'), person);
    };
    await harness.me().submit({ kind: 'action', call: { command: 'x', args: {} }, key: 'waiting-key' });
    const before = await listen(harness.me(), (events) => events.some(({ event }) => event === 'working'));
    expect(before.at(-1)?.data).toEqual({ keys: ['waiting-key'] });
    const listening = listen(harness.me(), (events) => events.some(({ event }) => event === 'settled'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    release();
    const after = (await listening).slice(-2);
    expect(after.map(({ event }) => event)).toEqual(['message', 'settled']);
    expect(after[0]?.data).toMatchObject({ answers: 'waiting-key' });
    expect(after[1]?.data).toEqual({ key: 'waiting-key' });
  });

  it('keeps the order of replies that are delivered at once', async () => {
    const me = { id: harness.me().personId, name: 'You' };
    const listening = listen(harness.me(), (events) => events.filter(({ event }) => event === 'message').length >= 30);
    await Promise.all(
      Array.from({ length: 30 }, (_, index) => harness.front.deliver(harness.place, say(`n${index}`), me)),
    );
    const shown = (await listening).flatMap(({ data }) => ('html' in data ? toText(fromHtml(data.html)).trim() : []));
    expect(shown).toEqual(Array.from({ length: 30 }, (_, index) => `n${index}`));
  });

  it("does not carry another person's private reply, nor does the page", async () => {
    const listening = listen(harness.me(), (events) => events.filter(({ event }) => event === 'message').length >= 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await harness.front.deliver(harness.place, say('for another', { audience: 'asker' }), { id: 'other', name: 'O' });
    await harness.front.deliver(harness.place, say('for all'), { id: 'other', name: 'O' });
    expect(JSON.stringify(await listening)).not.toContain('for another');
    expect(await harness.transcript()).toBe('for all');
  });

  it("shows nothing of one person's chat to another", async () => {
    await harness.say('mine alone');
    const other = await harness.visit();
    expect(await (await other.get('/')).text()).not.toContain('mine alone');
    expect(await (await other.get('/chat/home')).text()).not.toContain('mine alone');
  });
});

describe('pictures and files', () => {
  it('serves a stored picture for ever and nothing for a wrong id', async () => {
    const { id } = await engine.pictures.put(pixel);
    const response = await harness.me().get(`/pictures/${id}.png`);
    expect(response.headers.get('cache-control')).toContain('immutable');
    expect(Buffer.from(await response.arrayBuffer())).toEqual(pixel);
    for (const wrong of ['0'.repeat(64), 'x', `..%2f${id}`, id.toUpperCase()])
      expect((await harness.me().get(`/pictures/${wrong}.png`)).status).toBe(404);
  });

  it('gives out files of runs and none around them', async () => {
    const runs = join(harness.dataDir, 'runs');
    await mkdir(join(runs, '7'), { recursive: true });
    await mkdir(join(harness.dataDir, 'runs-other'));
    await writeFile(join(runs, '7', 'mödel.bin'), 'weights');
    await writeFile(join(harness.dataDir, 'secret'), 'secret');
    await writeFile(join(harness.dataDir, 'runs-other', 'x'), 'secret');
    await symlink(join(harness.dataDir, 'secret'), join(runs, '7', 'link'));
    await symlink(harness.dataDir, join(runs, 'up'));

    const response = await harness.me().get(`/files/7/${encodeURIComponent('mödel.bin')}`);
    expect(response.headers.get('content-disposition')).toContain("filename*=UTF-8''m%C3%B6del.bin");
    expect(await response.text()).toBe('weights');
    const outside = [
      '../secret',
      '..%2fsecret',
      '%2e%2e/secret',
      '7/..%2f..%2fsecret',
      '..%2fruns-other%2fx',
      '%2fetc%2fpasswd',
      '7/link',
      'up/secret',
      '7',
      '',
      '7/none',
      '%00',
      '%',
      `${'x'.repeat(300)}`,
    ];
    for (const path of outside) {
      const found = await send(`/files/${path}`, {}, undefined, 'GET');
      expect([path, found.status, found.body.includes('secret')]).toEqual([path, 404, false]);
    }
  });
});

describe('the guide', () => {
  it('lists its chapters and shows one with its sections, contents and neighbours', async () => {
    const list = fromHtml(await (await harness.me().get('/guide')).text());
    expect(selectAll('.chapters a', list).map(({ properties }) => properties.href)).toEqual([
      '/guide/overfitting',
      '/guide/peft',
      '/guide/metrics',
    ]);
    const page = fromHtml(await (await harness.me().get('/guide/peft')).text());
    expect(select('section#definition', page)).toBeDefined();
    expect(select('.contents a[href="#definition"]', page)).toBeDefined();
    expect(select('section a', page)?.properties.href).toBe('/guide/peft#definition');
    expect(select('.prev', page)?.properties.href).toBe('/guide/overfitting');
    expect(select('.next', page)?.properties.href).toBe('/guide/metrics');
  });

  it('offers the nearest chapter for a wrong one, and a way on for any wrong address', async () => {
    const wrong = await harness.me().get('/guide/overfiting');
    expect(wrong.status).toBe(404);
    expect(await text(wrong)).toContain('Did you mean Overfitting?');
    const evil = await harness.me().get('/guide/%3Cscript%3Eboom()%3C%2Fscript%3E');
    expect(await evil.text()).not.toContain('<script>boom');
    const nowhere = await harness.me().get('/nowhere');
    expect(nowhere.status).toBe(404);
    expect(await text(nowhere)).toContain('All chapters of the guide');
  });
});

describe('the page', () => {
  it('shows the kept conversation after a restart', async () => {
    answer = ({ place, person }) => harness.front.deliver(place, say('an answer'), person);
    await harness.say('a question');
    await expect.poll(() => harness.transcript()).toContain('an answer');
    await harness.restart();
    expect((await harness.transcript()).split(/\s{2,}/)).toEqual(['a question', 'an answer']);
  });

  it('still shows the others when one kept message cannot be read', async () => {
    const { front, place } = harness;
    const me = { id: harness.me().personId, name: 'You' };
    await front.deliver(place, say('before'), me);
    await engine.conversations.say(place, { content: { blocks: [{ kind: 'from a later version' }] } });
    await engine.conversations.say(place, { personId: me.id, content: 'not what we write' });
    await front.deliver(place, say('after'), me);
    const shown = await harness.transcript();
    expect(shown).toContain('before');
    expect(shown.match(/can't be shown any more/g)).toHaveLength(2);
    expect(shown).toContain('after');
    expect(logged).toHaveLength(2);
  });

  it('opens new chats apart from each other and comes back to the last one', async () => {
    const made = z.object({ chat: z.string() }).parse(await (await harness.me().post('/chats', '')).json());
    await harness.say('in the first chat');
    const page = await harness.me().get(`/chat/${made.chat}`);
    expect(await page.text()).not.toContain('in the first chat');
    const again = await harness.me().get('/', { cookie: `${harness.me().cookie}; finetutor_chat=${made.chat}` });
    expect(again.headers.get('location')).toBe(`/chat/${made.chat}`);
  });

  it('says which port is taken', async () => {
    const port = Number(new URL(harness.address()).port);
    const second = await createWebHarness(engine, { port });
    await expect(second.start(async () => {})).rejects.toThrow(`Port ${port} is taken`);
  });

  it('serves its script, style and fonts by content, for ever', async () => {
    const page = fromHtml(await (await harness.me().get('/')).text());
    const hrefs = [
      select('script[type=module]', page)?.properties.src,
      select('link[rel=stylesheet]', page)?.properties.href,
    ];
    for (const href of hrefs) {
      const response = await harness.me().get(String(href));
      expect(response.headers.get('cache-control')).toContain('immutable');
      const body = await response.text();
      const font = /\/assets\/[\w-]+\.woff2/.exec(body)?.[0];
      if (font) expect((await harness.me().get(font)).headers.get('content-type')).toBe('font/woff2');
    }
    expect((await harness.me().get('/assets/none.js')).status).toBe(404);
  });
});

describe('a passage of a group’s own document', () => {
  const passage = {
    title: 'House rules › <b>Gate</b>, page 2',
    text: 'Nine days.\n\n<script>alert(1)</script>',
    passages: 3,
  };
  beforeEach(() => {
    Object.assign(engine, {
      material: {
        ...engine.material,
        passage: async (where: object, id: string, number: number) => {
          if (JSON.stringify(where) !== '{"workspaceId":"local"}' || id !== 'id-1' || number > 2)
            throw new UserError('There is no such document here.', 'It may have been removed.');
          return passage;
        },
      },
    });
  });

  it('opens from its citation, as words, with the way on', async () => {
    const reply = say('x', { blocks: [{ kind: 'sources', sources: [cited] }] });
    await harness.front.deliver(harness.place, reply, { id: harness.me().personId, name: 'Me' });
    const link = select('a[href^="/documents/"]', await harness.me().page());
    expect(link?.properties.href).toBe('/documents/id-1/1');
    const response = await harness.me().get('/documents/id-1/1');
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const page = fromHtml(await response.text());
    expect(toText(page)).toContain('House rules › <b>Gate</b>, page 2');
    expect(toText(page)).toContain('<script>alert(1)</script>');
    expect(selectAll('main script, main b', page)).toEqual([]);
    expect(selectAll('.turn a', page).map(({ properties }) => properties.href)).toEqual([
      '/documents/id-1/0',
      '/documents/id-1/2',
    ]);
  });

  it('is not there for a stranger, nor where there is none', async () => {
    const stranger = await fetch(`${harness.address()}/documents/id-1/1`);
    expect(stranger.status).toBe(404);
    expect(await stranger.text()).not.toContain('Nine days');
    for (const path of ['/documents/id-2/1', '/documents/id-1/9', '/documents/id-1/x', '/documents/id-1/-1'])
      expect((await harness.me().get(path)).status).toBe(404);
  });
});

const cited = {
  chapterId: 'document:id-1',
  sectionId: '1',
  title: 'House rules, page 2',
  quote: 'Nine days.',
  document: true,
} as const;
