// A small Hugging Face hub: model info, file tree and files by range, as the hub's own client asks for them.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface HubServer {
  readonly url: string;
  /** Method and path of every request, in order. */
  readonly requests: string[];
  /** Answers every request so, until told otherwise. */
  fail: number | undefined;
  /** Serves this file with one byte changed. */
  damaged: string | undefined;
  close(): Promise<void>;
}

const commit = 'a'.repeat(40);

/** Serves `folder` as the model `id`, and others by theirs, on the branch main. With a token, only those who show it may read. */
export async function startHubServer(options: {
  readonly id: string;
  readonly folder: string;
  readonly token?: string;
  readonly others?: { readonly [id: string]: string };
}): Promise<HubServer> {
  const { token } = options;
  const folders: { readonly [id: string]: string } = { ...options.others, [options.id]: options.folder };
  const requests: string[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://hub').pathname);
    requests.push(`${request.method} ${path}`);
    if (hub.fail !== undefined) return end(response, hub.fail, { error: 'out of order' });
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      return end(response, 401, { error: 'Invalid credentials' });
    }
    const id = Object.keys(folders).find(
      (one) => path.startsWith(`/api/models/${one}/`) || path.startsWith(`/${one}/`),
    );
    const folder = folders[id ?? ''];
    if (id === undefined || folder === undefined) return end(response, 404, { error: 'Repository not found' });
    if (path === `/api/models/${id}/revision/main` || path === `/api/models/${id}/revision/${commit}`) {
      const info = { _id: '1', id, sha: commit, private: false, downloads: 0, gated: false, likes: 0 };
      return end(response, 200, { ...info, lastModified: '2026-01-01T00:00:00.000Z' });
    }
    if (path === `/api/models/${id}/tree/${commit}`) {
      const names = (await readdir(folder, { withFileTypes: true }))
        .filter((one) => one.isFile())
        .map(({ name }) => name);
      const entries = await Promise.all(
        names.map(async (name) => {
          const bytes = await readFile(join(folder, name));
          const oid = createHash('sha256').update(bytes).digest('hex');
          const lfs = name.endsWith('.safetensors') ? { lfs: { oid, size: bytes.length, pointerSize: 130 } } : {};
          return { type: 'file', path: name, size: bytes.length, oid: oid.slice(0, 40), ...lfs };
        }),
      );
      return end(response, 200, entries);
    }
    const file = new RegExp(`^/${id}/resolve/${commit}/([\\w.-]+)$`).exec(path)?.[1];
    const bytes = file === undefined ? undefined : await readFile(join(folder, file)).catch(() => undefined);
    if (!bytes) return end(response, 404, { error: 'Entry not found' });
    if (file === hub.damaged) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const from = Number(range?.[1] ?? 0);
    const to = range?.[2] ? Math.min(Number(range[2]), bytes.length - 1) : bytes.length - 1;
    response.writeHead(range ? 206 : 200, {
      'content-range': `bytes ${from}-${to}/${bytes.length}`,
      etag: '"1"',
      'content-type': 'application/octet-stream',
    });
    response.end(bytes.subarray(from, to + 1));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => end(response, 500, { error: String(error) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const hub: HubServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fail: undefined,
    damaged: undefined,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return hub;
}

function end(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
