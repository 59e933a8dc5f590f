// A run of the tests has a folder of its own for what is temporary, and leaves nothing behind, however a test ended.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default async function setup(): Promise<() => Promise<void>> {
  const outer = tmpdir();
  const folder = await mkdtemp(join(outer, 'finetutor-test-'));
  // PostgreSQL runs as another user, and reads its password here.
  await chmod(folder, 0o755);
  process.env.TMPDIR = folder;
  // What is made once and copied by many tests is kept for the next run.
  process.env.FINETUTOR_TEST_KEPT = outer;
  return () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
