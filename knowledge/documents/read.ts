// Reads a file as a document, in whichever format it is.
import { readFile } from 'node:fs/promises';
import { cutDocument } from './cut.ts';
import {
  type DocumentBlock,
  type DocumentFormat,
  DocumentProblem,
  documentLimits,
  type ReadDocument,
} from './document.ts';
import { type GivenFile, sniffFormat } from './sniff.ts';

interface Read {
  readonly title?: string | undefined;
  readonly pages?: number;
  readonly blocks: readonly DocumentBlock[];
}

/** What reads each format is loaded when it is needed. */
const readers: { readonly [F in DocumentFormat]: (text: string, bytes: Uint8Array) => Promise<Read> } = {
  text: async (text) => ({ blocks: text.split(/\r?\n[ \t]*\r?\n/).map((paragraph) => ({ text: paragraph })) }),
  markdown: async (text) => ({ blocks: (await import('./markdown.ts')).readMarkdown(text) }),
  html: async (text) => (await import('./html.ts')).readHtml(text),
  notebook: async (text) => ({ blocks: (await import('./notebook.ts')).readNotebook(text) }),
  pdf: async (_, bytes) => (await import('./pdf.ts')).readPdf(bytes),
};

/** @throws DocumentProblem saying what is wrong with the file. */
export async function readDocument(path: string, given: Omit<GivenFile, 'bytes'>): Promise<ReadDocument> {
  const bytes = new Uint8Array(await readFile(path));
  if (bytes.length === 0) throw new DocumentProblem('The file is empty.', 'Send one with text in it.');
  const { format, text } = sniffFormat({ ...given, bytes });
  if (text.length > documentLimits.characters) throw tooLong(text.length, documentLimits.characters, 'characters');
  const { title, pages, blocks } = await readers[format](text, bytes);
  const passages = cutDocument(blocks);
  if (passages.length === 0) throw new DocumentProblem('There are no words in it.', 'Send a file with text in it.');
  if (passages.length > documentLimits.passages) throw tooLong(passages.length, documentLimits.passages, 'passages');
  const heading = blocks.find(({ depth }) => depth === 1)?.text;
  return { format, title: title ?? heading?.slice(0, 200), pages, passages };
}

const tooLong = (found: number, most: number, what: string) =>
  new DocumentProblem(
    `It has ${found.toLocaleString('en')} ${what}; ${most.toLocaleString('en')} can be read.`,
    'Send the parts that matter.',
  );
