// Fetches a file somebody sent on a platform: from the platform's own hosts only, cut off at the limit, under a name of ours.
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { UserError } from '../../engine/index.ts';
import type { Attachment } from '../chat/message.ts';

export interface Downloads {
  /**
   * Resolves once every byte is on disk.
   * @throws UserError for a file that is too large, from a host that is not the platform's, or that can't be fetched.
   */
  fetch(file: { readonly url: string; readonly name: string; readonly bytes: number }): Promise<Attachment>;
  remove(attachment: Attachment): Promise<void>;
}

export interface DownloadsOptions {
  /** Emptied at the first download: what is in it was left by a killed process. */
  readonly folder: string;
  readonly limitBytes: number;
  /** Host names, or `host:port`, files may come from; any other is refused without a request. */
  readonly hosts: readonly string[];
  /** Sent along: a platform that keeps its files behind a token. */
  readonly headers?: { readonly [name: string]: string };
  readonly timeoutMs?: number;
}

export function createDownloads(options: DownloadsOptions): Downloads {
  const { folder, limitBytes, hosts } = options;
  let opening: Promise<void> | undefined;

  async function open() {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
  }

  const tooLarge = (name: string, bytes: number) =>
    new UserError(
      `${name} is ${inMebibytes(bytes)}; a file may have ${inMebibytes(limitBytes)}.`,
      'Send a smaller file: a few thousand examples teach a small model well.',
    );

  return {
    async fetch({ url, name: given, bytes: declared }) {
      const name = tidyName(given);
      const address = URL.canParse(url) ? new URL(url) : undefined;
      if (address === undefined || !(hosts.includes(address.host) || hosts.includes(address.hostname))) {
        throw new UserError(`${name} does not lie where this chat keeps its files.`, 'Attach the file itself.');
      }
      if (declared > limitBytes) throw tooLarge(name, declared);
      opening ??= open();
      await opening;

      const path = join(folder, randomUUID());
      let bytes = 0;
      const limit = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          bytes += chunk.length;
          if (bytes > limitBytes) done(tooLarge(name, bytes));
          else done(null, chunk);
        },
      });
      try {
        const response = await fetch(address, {
          headers: { ...options.headers },
          redirect: 'error',
          signal: AbortSignal.timeout(options.timeoutMs ?? 60_000),
        });
        if (!response.ok || response.body === null) throw new Error(`it answered ${response.status}`);
        await pipeline(Readable.fromWeb(response.body as ReadableStream), limit, createWriteStream(path));
      } catch (error) {
        await rm(path, { force: true });
        if (error instanceof UserError) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        throw new UserError(`${name} could not be fetched: ${reason}.`, 'Send it once more.', { cause: error });
      }
      return { name, path, bytes };
    },
    remove: ({ path }) => rm(path, { force: true }),
  };
}

const inMebibytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

/** For showing only: without control characters or a folder, and not endless. */
function tidyName(name: string): string {
  const tidy = name
    .replace(/\p{C}/gu, '')
    .replace(/^.*[\\/]/, '')
    .trim()
    .slice(0, 200);
  return tidy === '' ? 'file' : tidy;
}
