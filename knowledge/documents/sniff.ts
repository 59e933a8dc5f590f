// What a file is: by its own bytes first, then by what its server and its name say.
import { type DocumentFormat, DocumentProblem } from './document.ts';

export interface GivenFile {
  readonly bytes: Uint8Array;
  /** The sender's: only its ending is looked at. */
  readonly name: string;
  /** As its server says. */
  readonly contentType?: string;
}

const readable = 'Markdown, plain text, HTML, PDF and Jupyter notebooks (.ipynb) can be read.';

const signatures: readonly (readonly [string, string])[] = [
  ['504b0304', 'a zip archive or an office document'],
  ['504b0506', 'a zip archive'],
  ['d0cf11e0', 'an old office document'],
  ['1f8b', 'a compressed file'],
  ['425a68', 'a compressed file'],
  ['377abcaf', 'a compressed file'],
  ['fd377a58', 'a compressed file'],
  ['28b52ffd', 'a compressed file'],
  ['52617221', 'a compressed file'],
  ['89504e47', 'a picture'],
  ['ffd8ff', 'a picture'],
  ['47494638', 'a picture'],
  ['7f454c46', 'a program'],
  ['4d5a', 'a program'],
];

/** @throws DocumentProblem for what is no document. */
export function sniffFormat({ bytes, name, contentType = '' }: GivenFile): { format: DocumentFormat; text: string } {
  const head = Buffer.from(bytes.subarray(0, 1024));
  if (head.includes('%PDF-')) return { format: 'pdf', text: '' };
  const hex = head.toString('hex', 0, 8);
  const known = signatures.find(([signature]) => hex.startsWith(signature));
  if (known)
    throw new DocumentProblem(
      `That is ${known[1]}, which is not opened here.`,
      `Export it as PDF or Markdown. ${readable}`,
    );
  const text = decode(bytes, contentType);
  const start = text.slice(0, 2000).trimStart().toLowerCase();
  if (/\.ipynb$/i.test(name) || (start.startsWith('{') && /"cells"\s*:/.test(text) && /"nbformat"\s*:/.test(text))) {
    return { format: 'notebook', text };
  }
  if (
    /^<!doctype html|^<html[\s>]/.test(start) ||
    /\.x?html?$/i.test(name) ||
    /\b(?:text\/html|xhtml)/i.test(contentType)
  ) {
    return { format: 'html', text };
  }
  if (/\.(?:md|markdown|mdx|mkd)$/i.test(name) || /markdown/i.test(contentType)) return { format: 'markdown', text };
  return { format: 'text', text };
}

function decode(bytes: Uint8Array, contentType: string): string {
  const [first = 0, second = 0] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return new TextDecoder(first === 0xff ? 'utf-16le' : 'utf-16be').decode(bytes);
  }
  if (bytes.includes(0)) throw new DocumentProblem('That is no text: it holds zero bytes.', readable);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Not UTF-8: as its server says, else what most old text is in.
  }
  const named = /charset=["']?([\w.:-]+)/i.exec(contentType)?.[1] ?? 'windows-1252';
  const text = decodeAs(named, bytes);
  const odd = text.match(/(?![\n\t\r\f])\p{Cc}/gu)?.length ?? 0;
  if (odd > text.length / 100)
    throw new DocumentProblem('That is no text that can be read.', `Save it as UTF-8. ${readable}`);
  return text;
}

function decodeAs(charset: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
