// A Jupyter notebook → blocks: its prose, its code, and what its code printed (a little of it).
import { z } from 'zod';
import { type DocumentBlock, DocumentProblem } from './document.ts';
import { readMarkdown } from './markdown.ts';

const lines = z.union([z.string(), z.array(z.string()).transform((parts) => parts.join(''))]);
const output = z.looseObject({
  text: lines.optional(),
  data: z.looseObject({ 'text/plain': lines.optional() }).optional(),
});
const cell = z.looseObject({ cell_type: z.string(), source: lines, outputs: z.array(output).optional() });
const notebook = z.looseObject({ cells: z.array(cell) });
/** Of what one cell printed. */
const mostPrinted = 600;

/** @throws DocumentProblem when it is no notebook of format 4. */
export function readNotebook(text: string): DocumentBlock[] {
  const read = notebook.safeParse(parse(text));
  if (!read.success) {
    throw new DocumentProblem('The notebook has no list of cells.', 'Save it as a notebook of format 4 (.ipynb).');
  }
  return read.data.cells.flatMap(({ cell_type, source, outputs = [] }): DocumentBlock[] => {
    if (cell_type === 'markdown') return readMarkdown(source);
    if (cell_type !== 'code') return [{ text: source }];
    const printed = outputs.map(({ text: said, data }) => said ?? data?.['text/plain'] ?? '').join('\n');
    return [{ text: source }, { text: printed.slice(0, mostPrinted) }];
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DocumentProblem('The notebook is no valid JSON.', 'Save it again as .ipynb, and send that file.');
  }
}
