// Vectors kept on disk by the hash of their text, one file an embedder: only texts that are new are embedded again.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Embedder } from '../../types.ts';
import type { VectorTable } from './vector-index.ts';

export interface VectorStoring {
  /** Undefined: nothing is kept. */
  readonly folder: string | undefined;
  /** Of its file. */
  readonly name: string;
  readonly embedder: Embedder;
}

interface Kept {
  readonly hashes: readonly string[];
  readonly data: Float32Array;
}

const hashLength = 16;
const textsAtOnce = 64;

/** @returns the vectors of the texts, in their order. */
export async function embedTexts(texts: readonly string[], storing: VectorStoring): Promise<VectorTable> {
  const { folder, name, embedder } = storing;
  const { dimensions } = embedder;
  const hashes = texts.map(hashOfText);
  const path = folder === undefined ? undefined : join(folder, `${name}-${nameOf(embedder)}.vectors`);
  const kept = path === undefined ? undefined : await readKept(path, dimensions);
  if (kept?.hashes.join() === hashes.join()) return { dimensions, data: kept.data };
  const known = new Map(kept?.hashes.map((hash, at) => [hash, at]));
  const data = new Float32Array(texts.length * dimensions);
  const missing: number[] = [];
  for (const [at, hash] of hashes.entries()) {
    const before = known.get(hash);
    if (before === undefined || !kept) missing.push(at);
    else data.set(kept.data.subarray(before * dimensions, (before + 1) * dimensions), at * dimensions);
  }
  for (let start = 0; start < missing.length; start += textsAtOnce) {
    const places = missing.slice(start, start + textsAtOnce);
    // Whoever else this process serves must not wait for the whole.
    await setImmediate();
    const vectors = await embedder.embed(places.map((at) => texts[at] ?? ''));
    for (const [i, at] of places.entries()) data.set(vectors[i] ?? [], at * dimensions);
  }
  if (path !== undefined) await keep(path, { hashes, data });
  return { dimensions, data };
}

const hashOfText = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, hashLength);

/** A hub id may hold a slash, and a local folder anything at all. */
const nameOf = ({ id }: Embedder) =>
  /^[\w.-]{1,60}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, hashLength);

/** A file: the count of texts (4 bytes, little-endian), their hashes, then the float32 numbers. */
async function readKept(path: string, dimensions: number): Promise<Kept | undefined> {
  let file: Buffer;
  try {
    file = await readFile(path);
  } catch {
    // Not kept yet: everything is embedded.
    return undefined;
  }
  const count = file.length < 4 ? 0 : file.readUInt32LE(0);
  const start = 4 + count * hashLength;
  // Torn by a full disk, or of another embedder: embedded again.
  if (file.length !== start + count * dimensions * 4) return undefined;
  const names = file.toString('latin1', 4, start);
  return {
    hashes: Array.from({ length: count }, (_, at) => names.slice(at * hashLength, (at + 1) * hashLength)),
    data: new Float32Array(Uint8Array.from(file.subarray(start)).buffer),
  };
}

async function keep(path: string, { hashes, data }: Kept): Promise<void> {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(hashes.length);
  const draft = `${path}.${process.pid}`;
  try {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(draft, Buffer.concat([count, Buffer.from(hashes.join(''), 'latin1'), Buffer.from(data.buffer)]));
    await rename(draft, path);
  } catch {
    // An installation that cannot be written to embeds again at each start.
  }
}
