// Opens the database: PGlite inside the data folder, or a PostgreSQL server, with the same schema and the same queries.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PGlite } from '@electric-sql/pglite';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { UserError } from '../errors.ts';
import { lockFolder } from './folder-lock.ts';

export type Database = PgDatabase<PgQueryResultHKT>;

interface Rows {
  readonly rows: readonly unknown[];
}

export interface Store {
  readonly kind: 'pglite' | 'postgres';
  readonly db: Database;
  /** Plain SQL, as the queue sends it: one statement with values, or several statements without. */
  execute(text: string, values?: readonly unknown[]): Promise<Rows>;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** `postgres://user:password@host:5432/name`; undefined keeps everything in `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly log?: { warn(details: object, message: string): void };
}

const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url));

/**
 * Opens the store and brings its schema up to date.
 * @throws UserError when another process has the folder open, or the server cannot be reached or refuses us.
 */
export function openStore(options: StoreOptions): Promise<Store> {
  return options.databaseUrl === undefined
    ? openEmbedded(options.dataDir)
    : openServer(options.databaseUrl, options.log);
}

async function openEmbedded(dataDir: string): Promise<Store> {
  mkdirSync(dataDir, { recursive: true });
  const unlock = await lockFolder(join(dataDir, 'db.lock'), dataDir);
  try {
    const [client, { drizzle }, { migrate }] = await Promise.all([
      openFolder(join(dataDir, 'db')),
      import('drizzle-orm/pglite'),
      import('drizzle-orm/pglite/migrator'),
    ]);
    const db = drizzle(client);
    await migrate(db, { migrationsFolder });
    return {
      kind: 'pglite',
      db,
      async execute(text, values = []) {
        if (values.length > 0) return client.query(text, [...values]);
        // One session serves everybody here: a script that fails between its BEGIN and COMMIT must not leave it aborted.
        const script = /^\s*BEGIN;([\s\S]*)COMMIT;?\s*$/.exec(text)?.[1];
        const results =
          script === undefined ? await client.exec(text) : await client.transaction((tx) => tx.exec(script));
        return results.findLast((result) => result.rows.length > 0) ?? { rows: [] };
      },
      async close() {
        await client.close();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/**
 * A new folder is unpacked from an empty database, which takes a quarter of the time of making one (initdb). A mark lies
 * beside it meanwhile: when that is found, the process was killed in between and nothing can have been stored yet.
 */
async function openFolder(folder: string): Promise<PGlite> {
  const { PGlite } = await import('@electric-sql/pglite');
  /** It answers within the process and without waiting for anything: a queue of queries would hold the event loop to its end. */
  class OneQueryATurn extends PGlite {
    override _runExclusiveQuery<T>(query: () => Promise<T>): Promise<T> {
      return super._runExclusiveQuery(async () => {
        await new Promise(setImmediate);
        return query();
      });
    }
  }
  const open = async (options: { loadDataDir?: Blob } = {}) => {
    const client = new OneQueryATurn(folder, options);
    await client.waitReady;
    return client;
  };
  const mark = `${folder}.unfinished`;
  if (existsSync(mark)) rmSync(folder, { recursive: true, force: true });
  if (existsSync(folder)) return open();
  const { dataDir: emptyDatabase } = await import('@electric-sql/pglite-prepopulatedfs');
  writeFileSync(mark, '');
  const client = await open({ loadDataDir: await emptyDatabase() });
  rmSync(mark);
  return client;
}

/** Any number, the same in every process: whoever holds it may change the schema. */
const migrationLock = 7_310_041;

async function openServer(databaseUrl: string, log: StoreOptions['log']): Promise<Store> {
  const [{ default: pg }, { drizzle }, { migrate }] = await Promise.all([
    import('pg'),
    import('drizzle-orm/node-postgres'),
    import('drizzle-orm/node-postgres/migrator'),
  ]);
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 10,
    connectionTimeoutMillis: 5_000,
    application_name: 'finetutor',
  });
  // A connection lost while idle: the pool replaces it at the next query.
  pool.on('error', (error) => log?.warn({ err: error }, 'an idle database connection was lost'));
  try {
    const client = await pool.connect();
    try {
      await client.query('select pg_advisory_lock($1)', [migrationLock]);
      await migrate(drizzle(client), { migrationsFolder });
      await client.query('select pg_advisory_unlock($1)', [migrationLock]);
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  } catch (error) {
    await pool.end();
    throw explainConnection(error, databaseUrl);
  }
  return {
    kind: 'postgres',
    db: drizzle(pool),
    async execute(text, values = []) {
      const client = await pool.connect();
      let broken = true;
      try {
        const result: unknown = await client.query(text, [...values]);
        broken = false;
        return lastRows(result);
      } finally {
        // A script that failed after its BEGIN leaves the connection aborted: it is not used again.
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
}

/** Several statements give several results; the last with rows is the answer. */
function lastRows(result: unknown): Rows {
  const results = (Array.isArray(result) ? result : [result]) as readonly Rows[];
  return results.findLast(({ rows }) => rows.length > 0) ?? { rows: [] };
}

/** Connection failures a person can mend, by the code node or PostgreSQL gives them. */
const mendable: { readonly [code: string]: { readonly what: string; readonly hint: string } } = {
  ECONNREFUSED: { what: 'nothing answers there', hint: 'Start PostgreSQL, or correct host and port in DATABASE_URL.' },
  ENOTFOUND: { what: 'its host name is unknown', hint: 'Correct the host in DATABASE_URL.' },
  EAI_AGAIN: { what: 'its host name could not be looked up', hint: 'Check the network and the host in DATABASE_URL.' },
  ETIMEDOUT: { what: 'it did not answer in time', hint: 'Check the network, host and port in DATABASE_URL.' },
  EHOSTUNREACH: { what: 'its host cannot be reached', hint: 'Check the network and the host in DATABASE_URL.' },
  '28P01': { what: 'it refused the user name or password', hint: 'Correct user and password in DATABASE_URL.' },
  '28000': {
    what: 'it does not let this user in',
    hint: 'Correct the user in DATABASE_URL, or allow it in pg_hba.conf.',
  },
  '3D000': {
    what: 'it has no database of that name',
    hint: 'Create it (createdb), or correct the name in DATABASE_URL.',
  },
  '42501': { what: 'this user may not create tables there', hint: 'Grant the user CREATE on the database.' },
};

function explainConnection(error: unknown, databaseUrl: string): unknown {
  const address = maskPassword(databaseUrl);
  if (!(error instanceof Error)) return error;
  const code = codeOf(error) ?? codeOf(error.cause);
  const known = mendable[/timeout/i.test(error.message) ? 'ETIMEDOUT' : (code ?? '')];
  if (known === undefined) return error;
  return new UserError(
    `The database at ${address} cannot be used: ${known.what}.`,
    `${known.hint} Without DATABASE_URL the tutor keeps its own database under DATA_DIR.`,
    { cause: error },
  );
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The address without its secret; an address that cannot be read is not shown at all. */
export function maskPassword(databaseUrl: string): string {
  if (!URL.canParse(databaseUrl)) return '(unreadable DATABASE_URL)';
  const url = new URL(databaseUrl);
  if (url.password !== '') url.password = '***';
  if (url.searchParams.has('password')) url.searchParams.set('password', '***');
  return url.toString();
}
