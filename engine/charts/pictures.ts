// Pictures by content: a PNG is stored once under its hash, and a reply names it by that id.
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Picture {
  /** SHA-256 of the PNG, hex. */
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

export interface Pictures {
  /** @throws TypeError for bytes that are not a PNG. */
  put(png: Uint8Array): Promise<Picture>;
  /** @returns undefined for an id that is not a stored picture (a malformed id too). */
  get(id: string): Promise<Uint8Array | undefined>;
}

/** Width and height stand in the IHDR chunk, always the first (PNG specification, 11.2.1). */
function readSize(png: Uint8Array): { width: number; height: number } {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  if (bytes.length < 24 || bytes.toString('latin1', 1, 4) !== 'PNG' || bytes.toString('latin1', 12, 16) !== 'IHDR') {
    throw new TypeError('Only PNG pictures are kept here.');
  }
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Keeps pictures in a folder, each whole or not at all. */
export function createPictures(dir: string): Pictures {
  const pathOf = (id: string) => join(dir, `${id}.png`);
  return {
    async put(png) {
      const size = readSize(png);
      const id = createHash('sha256').update(png).digest('hex');
      await mkdir(dir, { recursive: true });
      const temporary = join(dir, `.${randomUUID()}`);
      try {
        await writeFile(temporary, png);
        await rename(temporary, pathOf(id));
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      return { id, ...size };
    },
    async get(id) {
      // The id comes from an address: only a hash may become part of a path.
      if (!/^[0-9a-f]{64}$/.test(id)) return undefined;
      try {
        return await readFile(pathOf(id));
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
  };
}
