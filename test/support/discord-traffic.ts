// What comes in to the small Discord and what is put in its way: requests as they are read, rate limits, faults.
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Request {
  readonly method: string;
  readonly route: string;
  readonly body: unknown;
  readonly files: readonly string[];
  readonly query: URLSearchParams;
  status: number;
  readonly atMs: number;
}

/** What to do with a request instead of answering it. */
export interface Fault {
  readonly matches: (request: Request) => boolean;
  /** How often; once unless told. */
  times?: number;
  readonly status?: number;
  readonly retryAfterS?: number;
  readonly global?: boolean;
  readonly delayMs?: number;
  /** Closes the socket without an answer, before or after the request has had its effect. */
  readonly drop?: 'before' | 'after';
}

export interface LimitOptions {
  /** Requests of one bucket in a window; Discord's own for messages is 5 in 5 s. */
  readonly bucket?: { readonly limit: number; readonly windowMs: number };
  /** Requests a second under the bot's token, whatever the route. */
  readonly global?: number;
}

export interface Limited {
  readonly headers: Record<string, string>;
  readonly retryAfterS?: number;
  readonly isGlobal?: boolean;
}

/** @returns what a request is told of its limits; with `retryAfterS` where it is refused. */
export function createLimits(options: LimitOptions): (request: Request, isBot: boolean) => Limited {
  const buckets = new Map<string, { remaining: number; resetAt: number }>();
  const globalWindow = { startedAt: 0, count: 0 };

  return ({ method, route }, isBot) => {
    if (options.global !== undefined && isBot && !route.startsWith('/interactions') && !route.startsWith('/webhooks')) {
      if (Date.now() - globalWindow.startedAt > 1000) Object.assign(globalWindow, { startedAt: Date.now(), count: 0 });
      globalWindow.count += 1;
      if (globalWindow.count > options.global)
        return {
          headers: {},
          retryAfterS: Math.max(0.05, (globalWindow.startedAt + 1000 - Date.now()) / 1000),
          isGlobal: true,
        };
    }
    const key = bucketOf(method, route);
    if (options.bucket === undefined || key === undefined) return { headers: {} };
    const at = Date.now();
    let bucket = buckets.get(key);
    if (bucket === undefined || bucket.resetAt <= at) {
      bucket = { remaining: options.bucket.limit, resetAt: at + options.bucket.windowMs };
      buckets.set(key, bucket);
    }
    const resetS = (bucket.resetAt - at) / 1000;
    bucket.remaining -= 1;
    const headers = {
      'x-ratelimit-limit': String(options.bucket.limit),
      'x-ratelimit-remaining': String(Math.max(0, bucket.remaining)),
      'x-ratelimit-reset': String(bucket.resetAt / 1000),
      'x-ratelimit-reset-after': String(resetS),
      'x-ratelimit-bucket': Buffer.from(key.replace(/\d{5,}/g, 'x')).toString('base64url'),
    };
    return bucket.remaining < 0 ? { headers, retryAfterS: resetS, isGlobal: false } : { headers };
  };
}

/** Discord's own buckets for messages: by channel and method; the rest is not limited here. */
function bucketOf(method: string, route: string): string | undefined {
  const channel = /^\/channels\/(\d+)\/messages/.exec(route)?.[1];
  return channel === undefined ? undefined : `${method} messages ${channel}`;
}

export function takeFault(faults: Fault[], request: Request): Fault | undefined {
  const fault = faults.find((one) => one.matches(request));
  if (fault === undefined) return undefined;
  fault.times = (fault.times ?? 1) - 1;
  if (fault.times <= 0) faults.splice(faults.indexOf(fault), 1);
  return fault;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(body ?? null));
}

export async function readBody(
  request: IncomingMessage,
): Promise<{ body: unknown; files: { name: string; bytes: Buffer }[] }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  if (raw.length === 0) return { body: undefined, files: [] };
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return { body: JSON.parse(raw.toString()), files: [] };
  const form = await new Response(raw, { headers: { 'content-type': type } }).formData();
  const files: { name: string; bytes: Buffer }[] = [];
  for (const [key, value] of form) {
    const index = /^files\[(\d+)\]$/.exec(key)?.[1];
    if (index !== undefined && typeof value !== 'string')
      files[Number(index)] = { name: value.name, bytes: Buffer.from(await value.arrayBuffer()) };
  }
  const payload = form.get('payload_json');
  return { body: typeof payload === 'string' ? JSON.parse(payload) : undefined, files };
}
