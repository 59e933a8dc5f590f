// Sending: files first, then the submission, both tried again under the same key while the line is down.
import type { Refusal, Submission, UploadTaken } from '../wire.ts';

/** The server said no; asking again would not help. */
export class Refused extends Error {
  readonly hint: string;
  constructor({ message, hint }: Refusal) {
    super(message);
    this.hint = hint;
  }
}

const waitsMs = [400, 1000, 2500, 5000, 10_000] as const;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function submit(submission: Submission): Promise<void> {
  const body = JSON.stringify(submission);
  await insist(() => fetch('/submissions', { method: 'POST', headers: { 'content-type': 'application/json' }, body }));
}

/** @returns the upload's id. */
export async function upload(file: File, limitBytes: number): Promise<string> {
  if (file.size > limitBytes)
    throw new Refused({
      message: `“${file.name}” is larger than ${Math.round(limitBytes / 1024 / 1024)} MB.`,
      hint: 'Send a part of it: a few thousand rows are plenty for a first run.',
    });
  const response = await insist(() =>
    fetch(`/uploads?name=${encodeURIComponent(file.name)}`, { method: 'POST', body: file }),
  );
  const { id }: UploadTaken = await response.json();
  return id;
}

async function insist(ask: () => Promise<Response>): Promise<Response> {
  for (const waitMs of [...waitsMs, undefined]) {
    try {
      const response = await ask();
      if (response.ok) return response;
      if (response.status < 500) throw new Refused(await response.json());
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    if (waitMs !== undefined) await pause(waitMs);
  }
  throw new Refused({ message: 'The tutor cannot be reached.', hint: 'Is it still running? Then send again.' });
}
