// Fails when the database schema has changed and `npm run db:generate` has not been run:
// drizzle-kit generates into the migrations folder, and any difference it makes is an error.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const snapshot = () =>
  new Map(
    readdirSync('migrations', { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'utf8')]),
  );

const before = snapshot();
const generated = spawnSync(process.execPath, ['node_modules/drizzle-kit/bin.cjs', 'generate', '--name', 'unchecked'], {
  encoding: 'utf8',
});
const after = snapshot();
const changed = [...after].filter(([path, text]) => before.get(path) !== text).map(([path]) => path);
for (const path of changed) {
  const original = before.get(path);
  if (original === undefined) rmSync(path);
  else writeFileSync(path, original);
}
if (changed.length > 0) {
  console.error(
    `engine/store/schema.ts differs from migrations/: run "npm run db:generate" (would write ${changed.join(', ')})`,
  );
  process.exit(1);
}
// A rename makes drizzle-kit ask which it is; nobody answers here, and it gives up with exit code 0, having written
// nothing. So only its own word that there is nothing to do counts.
if (generated.status !== 0 || !generated.stdout.includes('No schema changes')) {
  console.error(
    `drizzle-kit could not compare the schema: run "npm run db:generate"\n${generated.stdout}${generated.stderr}`,
  );
  process.exit(1);
}
