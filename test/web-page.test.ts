// Pages people name are fetched; nothing of our own network is, whatever trick points there.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFetchPage, type FetchPageOptions, isPublicAddress } from '../engine/material/web-page.ts';

const folder = mkdtempSync(join(tmpdir(), 'finetutor-pages-'));
let server: Server;
let port = 0;
let asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.headers.host}${request.url}`);
    switch (request.url) {
      case '/page':
        return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<p>Hello</p>');
      case '/moved':
        return response.writeHead(302, { location: '/page' }).end();
      case '/inside':
        return response.writeHead(302, { location: 'http://inside.example/secret' }).end();
      case '/file':
        return response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      case '/loop':
        return response.writeHead(301, { location: '/loop' }).end();
      case '/bomb':
        return response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(3_000_000)));
      case '/large':
        return response.writeHead(200, { 'content-length': '99999999' }).end('x');
      case '/slow':
        return response.writeHead(200).write('<p>');
      default:
        return response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** `out.example` stands for a server of the open web; `inside.example` points into our network. */
const names: { readonly [host: string]: readonly string[] } = {
  'out.example': ['127.0.0.1'],
  'inside.example': ['10.0.0.7'],
  'both.example': ['127.0.0.1', '169.254.169.254'],
};
const world: FetchPageOptions = {
  resolve: async (host) => names[host] ?? [],
  isAllowed: (address) => address === '127.0.0.1',
};
const path = join(folder, 'page');
const fetchFrom = (where: string, options: FetchPageOptions = {}) => {
  asked = [];
  return createFetchPage({ ...world, ...options })(`http://out.example:${port}${where}`, path);
};

test('a page is fetched, through a redirect, with its name and type', async () => {
  expect(await fetchFrom('/moved')).toEqual({ name: 'page', contentType: 'text/html; charset=utf-8' });
  expect(readFileSync(path, 'utf8')).toBe('<p>Hello</p>');
  expect(asked).toEqual([`out.example:${port}/moved`, `out.example:${port}/page`]);
});

test.each([
  ['a redirect into our network', '/inside', /not on the open web/],
  ['a redirect to a file', '/file', /file: addresses/],
  ['redirects without end', '/loop', /too often/],
  ['what is not there', '/nothing', /404/],
  ['a page that claims to be huge', '/large', /larger/],
])('%s is refused', async (_what, where, words) => {
  await expect(fetchFrom(where)).rejects.toThrow(words);
  expect(existsSync(path)).toBe(false);
});

test('what grows beyond the limit as it is unpacked, or never ends, is given up, and nothing is left', async () => {
  await expect(fetchFrom('/bomb', { limitBytes: 1_000_000 })).rejects.toThrow(/larger/);
  await expect(fetchFrom('/slow', { timeLimitMs: 100 })).rejects.toThrow(/longer than 0.1 seconds/);
  expect(existsSync(path)).toBe(false);
});

test('a name is looked up once for each request: it cannot point inside a moment later', async () => {
  let lookUps = 0;
  const resolve = async () => (++lookUps === 1 ? ['127.0.0.1'] : ['10.0.0.7']);
  await fetchFrom('/page', { resolve });
  expect(lookUps).toBe(1);
});

test.each([
  'http://127.0.0.1/',
  'http://localhost/',
  'http://[::1]/',
  'http://0x7f.1/',
  'http://2130706433/',
  'http://0.0.0.0/',
  'http://10.1.2.3/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://100.64.0.1/',
  'http://[fd00::1]/',
  'http://[fe80::1]/',
  'http://[::ffff:10.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
])('%s is never asked', async (address) => {
  const loopback = async () => ['127.0.0.1'];
  await expect(createFetchPage({ resolve: loopback })(address, path)).rejects.toThrow(/not on the open web/);
});

test.each(['ftp://out.example/x', 'file:///etc/passwd', 'http://user:word@out.example/', 'nonsense'])(
  '%s is no address to fetch',
  async (address) => {
    await expect(createFetchPage(world)(address, path)).rejects.toThrow(/not fetched|no address/);
  },
);

test('one address inside among several outside refuses the name', async () => {
  await expect(createFetchPage(world)('http://both.example/', path)).rejects.toThrow(/not on the open web/);
  await expect(createFetchPage(world)('http://unknown.example/', path)).rejects.toThrow(/no server called/);
});

test('addresses of the open web are just those', () => {
  expect(['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'].every(isPublicAddress)).toBe(true);
  expect(['224.0.0.1', '255.255.255.255', '192.0.2.1', '::', 'name'].some(isPublicAddress)).toBe(false);
});
