// Where pictures come from: a folder, or a zip file that is read in place and never unpacked, so that nothing in it can
// be written anywhere.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join, relative, sep } from 'node:path';
import yauzl from 'yauzl';
import { UserError } from '../../errors.ts';
import { count, shown } from '../text-file.ts';
import { picture_extensions } from './decode.ts';

export interface PictureFile {
  /** Its folders and name, from the top of the source on. */
  readonly parts: readonly string[];
  read(): Promise<Uint8Array>;
}

export interface PictureSource {
  /** In the order of their names. */
  readonly files: readonly PictureFile[];
  /** Whatever else lies there. */
  readonly others: readonly PictureFile[];
  close(): void;
}

const mostFiles = 200_000;
const mostFileBytes = 64 * 2 ** 20;
const mostUnpackedBytes = 16 * 2 ** 30;
/** A picture is packed already; what shrinks to less than a hundredth is made to fill memory. */
const mostShrinking = 100;

const extensions: readonly string[] = picture_extensions;
const isPicture = (name: string) => extensions.includes(extname(name).toLowerCase());
/** Files that operating systems leave behind. */
const isClutter = (parts: readonly string[]) => parts.some((part) => part.startsWith('.') || part === '__MACOSX');

/** @throws UserError when there is nothing that can be read, or the zip file is unsafe. */
export async function openPictures(path: string): Promise<PictureSource> {
  const found = await stat(path).catch((error: unknown) => {
    throw new UserError(`There is no ${path}.`, 'Give a folder with one folder of pictures a class, or a zip of it.', {
      cause: error,
    });
  });
  return found.isDirectory() ? openFolder(path) : openZip(path);
}

async function openFolder(folder: string): Promise<PictureSource> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  // A link might lead anywhere: only files that lie here count.
  const names = entries.flatMap((entry) =>
    entry.isFile() ? [relative(folder, join(entry.parentPath, entry.name)).split(sep)] : [],
  );
  refuseTooMany(folder, names.length);
  return collect(
    names.map((parts) => ({ parts, read: () => readFile(join(folder, ...parts)) })),
    () => {},
  );
}

function refuseTooMany(path: string, files: number): void {
  if (files > mostFiles) {
    throw new UserError(`${path} holds more than ${count(mostFiles)} files.`, 'Give a part of them.');
  }
}

function collect(files: readonly PictureFile[], close: () => void): PictureSource {
  const wanted = files.filter(({ parts }) => !isClutter(parts));
  const ordered = wanted.toSorted((a, b) => (a.parts.join('/') < b.parts.join('/') ? -1 : 1));
  return {
    files: ordered.filter(({ parts }) => isPicture(parts.at(-1) ?? '')),
    others: ordered.filter(({ parts }) => !isPicture(parts.at(-1) ?? '')),
    close,
  };
}

async function openZip(path: string): Promise<PictureSource> {
  const name = basename(path);
  const refuse = (what: string, cause?: unknown) =>
    new UserError(`${shown(name)} ${what}`, 'Make a new zip of a folder with one folder of pictures a class.', {
      cause,
    });
  const zip = await new Promise<yauzl.ZipFile>((resolve, reject) => {
    // Names with .., a drive or a leading slash are refused by yauzl itself; so are entries longer than they say.
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, file) =>
      error ? reject(refuse(`is not a zip file that can be read: ${error.message}.`, error)) : resolve(file),
    );
  });
  try {
    const entries = await listEntries(zip, (what, cause) => refuse(what, cause));
    return collect(
      entries.map((entry) => ({ parts: entry.fileName.split('/'), read: () => readEntry(zip, entry) })),
      () => zip.close(),
    );
  } catch (error) {
    zip.close();
    throw error;
  }
}

function listEntries(zip: yauzl.ZipFile, refuse: (what: string, cause?: unknown) => UserError): Promise<yauzl.Entry[]> {
  const entries: yauzl.Entry[] = [];
  let unpackedBytes = 0;
  return new Promise((resolve, reject) => {
    zip.on('error', (error: Error) => reject(refuse(`is damaged or unsafe: ${error.message}.`, error)));
    zip.on('end', () => resolve(entries));
    zip.on('entry', (entry: yauzl.Entry) => {
      const problem = problemOf(entry);
      unpackedBytes += entry.uncompressedSize;
      if (problem !== undefined) return reject(refuse(`is unsafe: ${shown(entry.fileName)} ${problem}.`));
      if (unpackedBytes > mostUnpackedBytes || entries.length >= mostFiles) {
        return reject(refuse(`unpacks to more than ${mostUnpackedBytes / 2 ** 30} GB or ${count(mostFiles)} files.`));
      }
      if (!entry.fileName.endsWith('/')) entries.push(entry);
      zip.readEntry();
    });
    zip.readEntry();
  });
}

function problemOf({ uncompressedSize, compressedSize, generalPurposeBitFlag }: yauzl.Entry): string | undefined {
  if (generalPurposeBitFlag & 1) return 'is encrypted';
  if (uncompressedSize > mostFileBytes) return `unpacks to more than ${mostFileBytes / 2 ** 20} MB`;
  if (uncompressedSize > 2 ** 20 && uncompressedSize > mostShrinking * compressedSize) {
    return `claims to unpack to ${count(Math.round(uncompressedSize / Math.max(compressedSize, 1)))} times its size`;
  }
  return undefined;
}

async function readEntry(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Uint8Array> {
  const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    zip.openReadStream(entry, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) {
    if (typeof chunk === 'string') throw new Error('a zip entry is read as bytes');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
