// Files on their way in: streamed to disk under a name of ours, cut off at the limit, gone when they have been handled.
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Attachment } from '../../chat/message.ts';

export class UploadTooLarge extends Error {
  override readonly name = 'UploadTooLarge';
}

export interface Uploads {
  readonly limitBytes: number;
  /** Empties the folder of what a killed process left. */
  open(): Promise<void>;
  /**
   * Resolves with the upload's id once every byte is on disk; otherwise nothing stays.
   * @throws UploadTooLarge as soon as the declared or the real size passes the limit.
   */
  receive(personId: string, name: string, declaredBytes: number, body: ReadableStream | null): Promise<string>;
  /** Hands the file over, once, to the person who sent it. */
  take(personId: string, id: string): Attachment | undefined;
  remove(attachment: Attachment): Promise<void>;
  close(): Promise<void>;
}

/** How long a file waits for the message it belongs to. */
const waitMs = 60 * 60 * 1000;

export function createUploads({ folder, limitBytes }: { folder: string; limitBytes: number }): Uploads {
  const waiting = new Map<string, { personId: string; attachment: Attachment; timer: NodeJS.Timeout }>();
  const remove = (attachment: Attachment) => rm(attachment.path, { force: true });

  return {
    limitBytes,
    async open() {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
    },
    async receive(personId, name, declaredBytes, body) {
      if (declaredBytes > limitBytes) throw new UploadTooLarge();
      const id = randomUUID();
      const path = join(folder, id);
      let bytes = 0;
      const limit = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          bytes += chunk.length;
          if (bytes > limitBytes) done(new UploadTooLarge());
          else done(null, chunk);
        },
      });
      try {
        await pipeline(body === null ? Readable.from([]) : Readable.fromWeb(body), limit, createWriteStream(path));
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
      const attachment = { name: tidyName(name), path, bytes };
      const forget = () => {
        waiting.delete(id);
        void remove(attachment);
      };
      waiting.set(id, { personId, attachment, timer: setTimeout(forget, waitMs).unref() });
      return id;
    },
    take(personId, id) {
      const found = waiting.get(id);
      if (found === undefined || found.personId !== personId) return undefined;
      waiting.delete(id);
      clearTimeout(found.timer);
      return found.attachment;
    },
    remove,
    async close() {
      for (const { timer } of waiting.values()) clearTimeout(timer);
      await Promise.all([...waiting.values()].map(({ attachment }) => remove(attachment)));
      waiting.clear();
    },
  };
}

/** For showing only: without control characters or a folder, and not endless. */
function tidyName(name: string): string {
  const tidy = name
    .replace(/\p{C}/gu, '')
    .replace(/^.*[\\/]/, '')
    .trim()
    .slice(0, 200);
  return tidy === '' ? 'file' : tidy;
}
