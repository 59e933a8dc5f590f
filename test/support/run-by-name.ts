// `npm run eval -- name` and `npm run bench -- name`: runs one of a table of scripts, each in a process of its own; all without a name.
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** @param table name → script, its path from the root of the repository. Ends the process with the first failure's code. */
export function runByName(table: { readonly [name: string]: string }, [name, ...rest]: readonly string[]): void {
  const script = name === undefined ? undefined : table[name];
  if (name !== undefined && script === undefined) {
    console.error(`There is no "${name}"; there are: ${Object.keys(table).join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  for (const [each, path] of script === undefined ? Object.entries(table) : [[name, script]]) {
    // Not on stdout: what a script prints there may be read by another.
    console.error(`── ${each}`);
    const { status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', String(path), ...rest], {
      stdio: 'inherit',
      cwd: root,
    });
    if (status !== 0) {
      process.exitCode = status ?? 1;
      return;
    }
  }
}
