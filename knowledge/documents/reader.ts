// The process that reads one document and ends: a file that hangs or devours memory takes down nothing but this.
import { z } from 'zod';
import { DocumentProblem } from './document.ts';
import { readDocument } from './read.ts';

const order = z.strictObject({ path: z.string(), name: z.string(), contentType: z.string().optional() });

process.once('message', async (raw) => {
  const { path, name, contentType } = order.parse(raw);
  const answer = await readDocument(path, { name, ...(contentType === undefined ? {} : { contentType }) }).then(
    (document) => ({ document }),
    (error: unknown) => ({
      problem: error instanceof DocumentProblem ? { message: error.message, hint: error.hint } : undefined,
      failure: String(error),
    }),
  );
  process.send?.(answer, () => process.disconnect());
});
