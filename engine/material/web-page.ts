// Fetches a page of the web that a person named, and nothing of our own network: every address is looked up once, checked,
// and connected to as checked (so a name cannot point elsewhere a moment later); every redirect goes the same way.
import { lookup as lookUpName } from 'node:dns/promises';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import ipaddr from 'ipaddr.js';
import { documentLimits } from '../../knowledge/index.ts';
import { UserError } from '../errors.ts';

interface FetchedPage {
  /** From the address: for its ending, and to name it by. */
  readonly name: string;
  readonly contentType: string;
}

/** @throws UserError for an address that may not be fetched, does not answer in time, or sends too much. */
export type FetchPage = (url: string, path: string) => Promise<FetchedPage>;

export interface FetchPageOptions {
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  readonly isAllowed?: (address: string) => boolean;
  readonly timeLimitMs?: number;
  readonly limitBytes?: number;
}

const mostRedirects = 5;

/** Only what anybody in the world can reach: no loopback, private, link-local, carrier, multicast or reserved address. */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';
}

const resolveName = async (host: string) => (await lookUpName(host, { all: true })).map(({ address }) => address);

export function createFetchPage({
  resolve = resolveName,
  isAllowed = isPublicAddress,
  timeLimitMs = 20_000,
  limitBytes = documentLimits.bytes,
}: FetchPageOptions = {}): FetchPage {
  /** The address to connect to. */
  async function locate(url: URL): Promise<string> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const addresses = isIP(host) ? [host] : await resolve(host).catch(() => []);
    const [address] = addresses;
    if (address === undefined) throw new UserError(`There is no server called ${host}.`, 'Check the address.');
    // One bad address among good ones is how names are made to point inside.
    if (!addresses.every(isAllowed)) {
      throw new UserError(
        `${host} is not on the open web, so it is not fetched.`,
        'Save the page and send it as a file.',
      );
    }
    return address;
  }

  return async (given, path) => {
    const signal = AbortSignal.timeout(timeLimitMs);
    let url = parseAddress(given);
    try {
      for (let hop = 0; hop <= mostRedirects; hop++) {
        const response = await open(url, await locate(url), signal);
        const status = response.statusCode ?? 0;
        const next = response.headers.location;
        if (status >= 300 && status < 400 && next !== undefined) {
          response.destroy();
          url = parseAddress(next, url);
          continue;
        }
        if (status !== 200) {
          response.destroy();
          throw new UserError(
            `${url.host} answered ${status}.`,
            'Open the address in a browser: does it show without logging in?',
          );
        }
        await save(response, path, limitBytes, signal);
        return {
          name: decodeSafely(url.pathname.split('/').at(-1) ?? '') || url.hostname,
          contentType: response.headers['content-type'] ?? '',
        };
      }
      throw new UserError('The address is redirected too often.', 'Use the address it ends at.');
    } catch (error) {
      await rm(path, { force: true });
      if (error instanceof UserError) throw error;
      const reason = signal.aborted ? `it took longer than ${timeLimitMs / 1000} seconds` : reasonOf(error);
      throw new UserError(`${url.host} could not be fetched: ${reason}.`, 'Try again later, or send it as a file.', {
        cause: error,
      });
    }
  };
}

function parseAddress(given: string, base?: URL): URL {
  if (!URL.canParse(given, base?.href))
    throw new UserError(`${given} is no address.`, 'It looks like https://example.org/page.');
  const url = new URL(given, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new UserError(`${url.protocol} addresses are not fetched.`, 'Only http and https are.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new UserError('An address with a password in it is not fetched.', 'Send the page as a file.');
  }
  url.hash = '';
  return url;
}

function open(url: URL, address: string, signal: AbortSignal): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const family = isIP(address);
    const request = send(
      url,
      {
        signal,
        agent: false,
        headers: {
          'user-agent': 'finetutor',
          accept: 'text/html,text/markdown,text/plain,application/pdf,*/*;q=0.5',
          'accept-encoding': 'gzip, deflate, br',
        },
        // What was checked is what is connected to, whatever the name says now.
        lookup: (_host, options, done) => {
          if (options.all) done(null, [{ address, family }]);
          else done(null, address, family);
        },
      },
      resolve,
    );
    request.once('error', reject);
    request.end();
  });
}

/** The limit holds for what comes out of the compression, too. */
async function save(response: IncomingMessage, path: string, limitBytes: number, signal: AbortSignal): Promise<void> {
  const tooLarge = () =>
    new UserError(`The page is larger than ${limitBytes / 1024 ** 2} MiB.`, 'Send the part that matters as a file.');
  if (Number(response.headers['content-length'] ?? 0) > limitBytes) {
    response.destroy();
    throw tooLarge();
  }
  let bytes = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) done(tooLarge());
      else done(null, chunk);
    },
  });
  const encoding = response.headers['content-encoding']?.toLowerCase() ?? 'identity';
  const expand = encodings[encoding];
  const file = createWriteStream(path);
  if (expand) await pipeline(response, expand(), limit, file, { signal });
  else await pipeline(response, limit, file, { signal });
}

const encodings: { readonly [name: string]: () => Transform } = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.message : String(error);
}
