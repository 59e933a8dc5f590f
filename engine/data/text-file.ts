// Opens a file somebody sent and gives its text, or says exactly why it is not text: too big, binary, broken UTF-8.
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { UserError } from '../errors.ts';

/** The largest table or text taken in. */
export const maxDatasetBytes = 50 * 1024 * 1024;

/** What a file really is, by its first bytes (Latin-1). The first match counts; `also` must occur in the first 4 KB. */
const signatures: readonly {
  readonly kind: string;
  readonly starts: string;
  readonly also?: string;
  readonly hint?: string;
}[] = [
  { kind: 'a PNG picture', starts: '\x89PNG' },
  { kind: 'a JPEG picture', starts: '\xff\xd8\xff' },
  { kind: 'a GIF picture', starts: 'GIF8' },
  { kind: 'a PDF document', starts: '%PDF-', hint: 'Copy its table into a spreadsheet and save that as CSV.' },
  {
    kind: 'a pickled PyTorch file',
    starts: 'PK\x03\x04',
    also: 'data.pkl',
    hint: 'Opening a pickle can run code, so it is never opened here. Export the rows as CSV or JSON lines.',
  },
  {
    kind: 'an Excel workbook (xlsx)',
    starts: 'PK\x03\x04',
    also: 'xl/',
    hint: 'In the spreadsheet choose “Save as → CSV UTF-8” and send that file.',
  },
  {
    kind: 'an Excel workbook (xlsx) or another Office file',
    starts: 'PK\x03\x04',
    also: '[Content_Types].xml',
    hint: 'In the spreadsheet choose “Save as → CSV UTF-8” and send that file.',
  },
  { kind: 'a ZIP archive', starts: 'PK\x03\x04', hint: 'Unpack it and send the data file inside.' },
  {
    kind: 'an old Excel or Office file (xls)',
    starts: '\xd0\xcf\x11\xe0',
    hint: 'In the spreadsheet choose “Save as → CSV UTF-8” and send that file.',
  },
  { kind: 'a gzip archive', starts: '\x1f\x8b', hint: 'Unpack it (gunzip) and send the file inside.' },
  { kind: 'a bzip2 archive', starts: 'BZh', also: '1AY&SY', hint: 'Unpack it (bunzip2) and send the file inside.' },
  { kind: 'a Zstandard archive', starts: '\x28\xb5\x2f\xfd', hint: 'Unpack it (unzstd) and send the file inside.' },
  { kind: 'a 7-Zip archive', starts: '7z\xbc\xaf', hint: 'Unpack it and send the data file inside.' },
  {
    kind: 'a Parquet file',
    starts: 'PAR1',
    hint: 'Convert it first, for example with pandas: df.to_csv("data.csv", index=False).',
  },
  {
    kind: 'an Arrow file',
    starts: 'ARROW1',
    hint: 'Convert it first, for example with pandas: df.to_csv("data.csv", index=False).',
  },
  { kind: 'an SQLite database', starts: 'SQLite format 3\0', hint: 'Export the table as CSV and send that.' },
  { kind: 'an HDF5 file', starts: '\x89HDF', hint: 'Export the table as CSV and send that.' },
  ...['\x02', '\x03', '\x04', '\x05'].map((protocol) => ({
    kind: 'a pickled Python object',
    starts: `\x80${protocol}`,
    hint: 'Opening a pickle can run code, so it is never opened here. Export the rows as CSV or JSON lines.',
  })),
  { kind: 'UTF-16 text', starts: '\xff\xfe', hint: 'Save it again with the encoding UTF-8 (in Excel: “CSV UTF-8”).' },
  { kind: 'UTF-16 text', starts: '\xfe\xff', hint: 'Save it again with the encoding UTF-8 (in Excel: “CSV UTF-8”).' },
];

const acceptedHint = 'Send a CSV, TSV, JSON-lines or JSON file with a text column and a label column.';

/** A value from a file, safe and short enough to stand in a sentence. */
export function shown(value: string): string {
  const line = value.replace(/[\s\p{C}]+/gu, ' ').trim();
  return `“${line.length > 40 ? `${line.slice(0, 39)}…` : line}”`;
}

export const count = (n: number) => n.toLocaleString('en-US');

/** @throws UserError when the file is too big, empty, or by its first bytes something other than text. */
async function checkFile(path: string, name: string): Promise<void> {
  const { size } = await stat(path);
  if (size > maxDatasetBytes) {
    throw new UserError(
      `${shown(name)} has ${count(Math.ceil(size / 2 ** 20))} MB; the limit is ${count(maxDatasetBytes / 2 ** 20)} MB.`,
      'Send a part of the rows: for fine-tuning a classifier a few thousand good ones are plenty.',
    );
  }
  if (size === 0) throw new UserError(`${shown(name)} is empty: it has 0 bytes.`, acceptedHint);
  if (/\.(pkl|pickle|joblib|pt|pth)$/i.test(name)) {
    throw new UserError(
      `${shown(name)} is a pickled Python file by its name.`,
      'Opening a pickle can run code, so it is never opened here. Export the rows as CSV or JSON lines.',
    );
  }
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
    const head = buffer.subarray(0, bytesRead).toString('latin1');
    const found = signatures.find((s) => head.startsWith(s.starts) && (s.also === undefined || head.includes(s.also)));
    if (found) {
      throw new UserError(
        `${shown(name)} is not a table of text: it is really ${found.kind}.`,
        found.hint ?? acceptedHint,
      );
    }
  } finally {
    await file.close();
  }
}

/** Start of the first sequence in `bytes` that is not UTF-8; `bytes` is known to hold one. */
function firstInvalidByte(bytes: Buffer): number {
  // A prefix either holds a complete wrong sequence (a streaming decoder throws) or not: that is monotonic, so bisect.
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  let start = Math.min(good, bytes.length);
  while (start > 0 && !isUtf8(bytes.subarray(0, start))) start--;
  return start;
}

const newlines = (bytes: Uint8Array) => bytes.reduce((lines, byte) => (byte === 10 ? lines + 1 : lines), 0);

/**
 * The text of a file in pieces, without its byte order mark.
 * @throws UserError for a file that is too big, empty, binary or not UTF-8 (with the byte offset and line).
 */
export async function* readText(path: string, name: string): AsyncGenerator<string, void> {
  await checkFile(path, name);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  /** The bytes of a sequence cut by a piece's end: at most three, kept to find the offset of a broken one. */
  let tail = Buffer.alloc(0);
  let offset = 0;
  let line = 1;
  const refuse = (bytes: Buffer): never => {
    const at = firstInvalidByte(bytes);
    const byte = bytes[at]?.toString(16).toUpperCase().padStart(2, '0');
    throw new UserError(
      `${shown(name)} is not valid UTF-8: byte 0x${byte} at offset ${count(offset - tail.length + at)}, line ${count(line + newlines(bytes.subarray(0, at)))}.`,
      'Save it again with the encoding UTF-8 (it may be Latin-1 or Windows-1252 now; in Excel choose “CSV UTF-8”).',
    );
  };
  for await (const chunk of createReadStream(path)) {
    const piece: Buffer = chunk;
    const zero = piece.indexOf(0);
    if (zero >= 0) {
      throw new UserError(
        `${shown(name)} is a binary file: there is a NUL byte at offset ${count(offset + zero)}.`,
        acceptedHint,
      );
    }
    const bytes = Buffer.concat([tail, piece]);
    let text: string;
    try {
      text = decoder.decode(piece, { stream: true });
    } catch {
      return refuse(bytes);
    }
    let cut = bytes.length;
    while (cut > 0 && bytes.length - cut < 3 && !isUtf8(bytes.subarray(0, cut))) cut--;
    line += newlines(bytes.subarray(0, cut));
    tail = Buffer.from(bytes.subarray(cut));
    offset += piece.length;
    if (text !== '') yield text;
  }
  if (tail.length > 0) refuse(tail);
}
