// Reads pictures with their captions: a folder or zip of pictures and one table that names a picture and a caption in each row.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { UserError } from '../../errors.ts';
import { headRows, openTable, peek, type Row } from '../table.ts';
import { count, maxDatasetBytes, shown } from '../text-file.ts';
import { checkAll } from './intake.ts';
import { openPictures, type PictureFile, type PictureSource } from './source.ts';

export interface CaptionedPicture {
  /** Path of the picture within the source. */
  readonly name: string;
  readonly caption: string;
  /** SHA-256 of the picture's file: two with the same are one picture. */
  readonly hash: string;
  read(): Promise<Uint8Array>;
}

export interface CaptionSet {
  readonly pairs: readonly CaptionedPicture[];
  /** Name of the table, and of its columns that were used. */
  readonly table: string;
  readonly imageColumn: string;
  readonly captionColumn: string;
  readonly warnings: readonly string[];
  close(): void;
}

export interface AskedCaptionColumns {
  readonly image?: string | undefined;
  readonly caption?: string | undefined;
}

const layout =
  'Put the pictures and one table into the zip, such as captions.csv with the columns image and caption, or metadata.jsonl with file_name and text.';
const fewestPairs = 10;
const fewestPictures = 4;
/** More rows that cannot be used than this share mean that something else is wrong. */
const mostUnusable = 0.2;

/**
 * @param name how it is called in what is said of it.
 * @throws UserError when it cannot be trained on, saying what is wrong, where, and what to do.
 */
export async function readCaptions(path: string, asked: AskedCaptionColumns = {}, name = path): Promise<CaptionSet> {
  const source = await openPictures(path);
  try {
    const table = findTable(source, name);
    const { rows, ...columns } = await readRows(table, asked);
    const { found, missing } = findPictures(rows, source.files, table);
    const used = [...new Map(found.map(({ file }) => [file, file])).values()];
    const { whole, problems } = await checkAll(used);
    const hashes = new Map(whole.map(({ file, hash }) => [file, hash]));
    const pairs = found.flatMap(({ file, caption }) => {
      const hash = hashes.get(file);
      return hash === undefined ? [] : [{ name: file.parts.join('/'), caption, hash, read: file.read }];
    });
    const { kept, warnings } = dropRepeated(pairs);
    const unusable = [...missing, ...problems];
    refuseUntrainable(name, kept, rows.length - found.length + problems.length, unusable);
    const unnamed = source.files.length - used.length;
    return {
      pairs: kept,
      table: table.parts.join('/'),
      ...columns,
      warnings: [
        ...unusable.slice(0, 5),
        ...(unusable.length > 5 ? [`Left out because they cannot be used: ${count(unusable.length)} in all.`] : []),
        ...warnings,
        ...(unnamed === 0 ? [] : [`No row of the table names ${count(unnamed)} of the pictures; they are left out.`]),
      ],
      close: source.close,
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

const isTable = ({ parts }: PictureFile) => /\.(csv|tsv|jsonl|ndjson|json)$/i.test(parts.at(-1) ?? '');
/** As Hugging Face's image folders and Flickr8k call it, whatever other table lies there. */
const isNamedSo = ({ parts }: PictureFile) =>
  /^(metadata|captions?)\.(csv|tsv|jsonl|ndjson|json|txt)$/i.test(parts.at(-1) ?? '');

/** Whether pictures come with one table that names them and says something of each: class folders may have others beside them. */
export async function holdsCaptions(source: PictureSource): Promise<boolean> {
  // Meant so by its name: what is wrong with it is to be said.
  if (source.others.some(isNamedSo)) return source.files.length > 0;
  try {
    const { rows } = await readRows(findTable(source, ''), {});
    return rows.length > 0;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

function findTable({ files, others }: PictureSource, name: string): PictureFile {
  if (files.length === 0) throw new UserError(`${shown(basename(name))} holds no pictures.`, layout);
  const named = others.filter(isNamedSo);
  const tables = named.length > 0 ? named : others.filter(isTable);
  const [table] = tables;
  if (table === undefined) {
    throw new UserError(
      `${shown(basename(name))} holds ${count(files.length)} pictures and no table of captions.`,
      layout,
    );
  }
  if (tables.length > 1) {
    const names = tables.slice(0, 3).map(({ parts }) => shown(parts.join('/')));
    throw new UserError(`${shown(basename(name))} holds ${tables.length} tables: ${names.join(', ')}.`, layout);
  }
  return table;
}

interface CaptionRow {
  readonly line: number;
  readonly image: string;
  readonly caption: string;
}

interface ReadRows {
  readonly rows: readonly CaptionRow[];
  readonly imageColumn: string;
  readonly captionColumn: string;
}

/** The table is read as any other, from a file of its own that is gone afterwards. */
async function readRows(table: PictureFile, asked: AskedCaptionColumns): Promise<ReadRows> {
  const name = table.parts.join('/');
  const bytes = await table.read();
  if (bytes.length > maxDatasetBytes) {
    throw new UserError(
      `${shown(name)} has ${count(Math.ceil(bytes.length / 2 ** 20))} MB; the limit is ${maxDatasetBytes / 2 ** 20} MB.`,
      'Give a part of the rows.',
    );
  }
  const folder = await mkdtemp(join(tmpdir(), 'finetutor-captions-'));
  try {
    const path = join(folder, 'table');
    await writeFile(path, bytes);
    const opened = await openTable(path, name);
    const [head, all] = await peek(opened.rows, headRows);
    const columns = opened.columns ?? head[0]?.cells.map((cell) => cell?.trim() ?? '') ?? [];
    const image = findColumn(name, columns, 'image', asked.image);
    const caption = findColumn(name, columns, 'caption', asked.caption);
    const rows: CaptionRow[] = [];
    let isHeader = opened.columns === undefined;
    for await (const row of all) {
      if (!isHeader) rows.push(toCaption(row, image, caption));
      isHeader = false;
    }
    return { rows, imageColumn: columns[image] ?? '', captionColumn: columns[caption] ?? '' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const toCaption = ({ line, cells }: Row, image: number, caption: number): CaptionRow => ({
  line,
  image: cells[image]?.trim() ?? '',
  caption: cells[caption]?.trim() ?? '',
});

const usual_names = {
  image: 'file_name filename image image_name image_path path file picture img photo'.split(' '),
  caption: 'caption captions text description alt alt_text title sentence prompt comment'.split(' '),
} as const;

function findColumn(
  name: string,
  columns: readonly string[],
  which: 'image' | 'caption',
  asked: string | undefined,
): number {
  const simple = columns.map((column) => column.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '_'));
  const index =
    asked === undefined
      ? Math.max(
          -1,
          ...usual_names[which]
            .map((usual) => simple.indexOf(usual))
            .filter((at) => at >= 0)
            .slice(0, 1),
        )
      : columns.indexOf(asked);
  if (index >= 0) return index;
  const there = columns.slice(0, 10).map(shown).join(', ');
  throw new UserError(
    asked === undefined
      ? `It is not clear which column of ${shown(name)} holds the ${which === 'image' ? 'names of the pictures' : 'captions'}: ${there}.`
      : `${shown(name)} has no column ${shown(asked)}. Its columns are ${there}.`,
    `Call it “${usual_names[which][0]}” in the first row, or name it.`,
  );
}

/** By the path from the table's folder, from the top, or by the name alone where only one picture has it. */
function findPictures(rows: readonly CaptionRow[], files: readonly PictureFile[], table: PictureFile) {
  const byPath = new Map(files.map((file) => [file.parts.join('/'), file]));
  const byName = new Map<string, PictureFile | undefined>();
  for (const file of files) {
    const last = file.parts.at(-1) ?? '';
    byName.set(last, byName.has(last) ? undefined : file);
  }
  const folder = table.parts.slice(0, -1);
  const found: { file: PictureFile; caption: string }[] = [];
  const missing: string[] = [];
  for (const { line, image, caption } of rows) {
    const path = image.replaceAll('\\', '/').replace(/^\.\//, '');
    const file =
      byPath.get([...folder, path].join('/')) ?? byPath.get(path) ?? byName.get(path.split('/').at(-1) ?? '');
    if (file === undefined) missing.push(`Line ${count(line)}: there is no picture ${shown(image)}; left out.`);
    else if (caption === '') missing.push(`Line ${count(line)}: ${shown(image)} has no caption; left out.`);
    else found.push({ file, caption });
  }
  return { found, missing };
}

function dropRepeated(pairs: readonly CaptionedPicture[]): { kept: CaptionedPicture[]; warnings: string[] } {
  const seen = new Set<string>();
  const kept = pairs.filter(({ hash, caption }) => {
    const key = JSON.stringify([hash, caption]);
    return !seen.has(key) && seen.add(key);
  });
  const repeated = pairs.length - kept.length;
  return { kept, warnings: repeated === 0 ? [] : [`Left out because they repeat another pair: ${count(repeated)}.`] };
}

function refuseUntrainable(
  path: string,
  pairs: readonly CaptionedPicture[],
  lost: number,
  problems: readonly string[],
): void {
  const name = shown(basename(path));
  if (lost > mostUnusable * (pairs.length + lost)) {
    throw new UserError(
      `${count(lost)} of ${count(pairs.length + lost)} rows and pictures in ${name} are unusable: ${problems[0]}`,
      layout,
    );
  }
  const pictures = new Set(pairs.map(({ hash }) => hash)).size;
  if (pairs.length >= fewestPairs && pictures >= fewestPictures) return;
  throw new UserError(
    `${name} has ${count(pairs.length)} captions of ${count(pictures)} different pictures; training needs at least ${fewestPairs} captions of ${fewestPictures} pictures.`,
    'Add more: a few hundred are a good start.',
  );
}
