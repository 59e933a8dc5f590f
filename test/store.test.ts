// The database opens on a folder or a server, once at a time, loses nothing it acknowledged, and says plainly what is wrong.
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getTableName, is, sql } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../engine/errors.ts';
import { maskPassword, openStore } from '../engine/store/client.ts';
import { lockFolder } from '../engine/store/folder-lock.ts';
import * as schema from '../engine/store/schema.ts';
import { describeOnEveryDatabase, emptyFolder, missingServer, postgresServer } from './support/databases.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function newFolder() {
  const dataDir = mkdtempSync(join(tmpdir(), 'finetutor-store-'));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
  cpSync(await emptyFolder(), dataDir, { recursive: true });
  return dataDir;
}

const embedded = (dataDir: string) => openStore({ databaseUrl: undefined, dataDir });

describeOnEveryDatabase('the store', (open) => {
  it('has every table after opening, and opens again without changing what is there', async () => {
    const { store, reopen } = await open();
    await store.db.execute(sql`insert into workspaces (id, name) values ('w', 'W')`);
    await store.close();
    const again = await reopen();
    const { rows } = await again.execute(
      "select table_name from information_schema.tables where table_schema = 'public' order by 1",
    );
    const declared = Object.values<unknown>(schema).filter((value) => is(value, PgTable));
    expect(declared.length).toBeGreaterThan(10);
    expect(rows.map((row) => (row as { table_name: string }).table_name)).toEqual(declared.map(getTableName).sort());
    expect((await again.execute('select id, name from workspaces')).rows).toEqual([{ id: 'w', name: 'W' }]);
  });

  it('goes on after a script failed between its BEGIN and COMMIT, and keeps nothing of it', async () => {
    const { store } = await open();
    const script = "BEGIN; insert into workspaces (id, name) values ('half', 'x'); select 1 / 0; COMMIT;";
    await expect(store.execute(script)).rejects.toThrow(/division by zero/);
    expect((await store.execute('select id from workspaces where id = $1', ['half'])).rows).toEqual([]);
    await store.execute("BEGIN; insert into workspaces (id, name) values ('whole', 'x'); COMMIT;");
    expect((await store.execute('select id from workspaces')).rows).toEqual([{ id: 'whole' }]);
  });

  it('rolls a failed transaction back', async () => {
    const { store } = await open();
    const failed = store.db.transaction(async (tx) => {
      await tx.execute(sql`insert into workspaces (id, name) values ('w', 'W')`);
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect((await store.execute('select id from workspaces')).rows).toEqual([]);
  });
});

describe('a folder of the embedded database', () => {
  it('lets others have a turn of the event loop between any two of many queries', async () => {
    const store = await embedded(await newFolder());
    let turns = 0;
    const queries = Promise.all(Array.from({ length: 20 }, () => store.db.execute(sql`select 1`)));
    let done = false;
    queries.then(
      () => {
        done = true;
      },
      () => {},
    );
    while (!done) {
      turns += 1;
      await new Promise(setImmediate);
    }
    await queries;
    await store.close();
    expect(turns).toBeGreaterThanOrEqual(20);
  });

  it('is refused to a second process while the first lives, and taken over once that was killed', async () => {
    const dataDir = await newFolder();
    const first = await acknowledging(dataDir);
    const refused = await embedded(dataDir).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UserError);
    expect(refused).toMatchObject({ message: expect.stringContaining(`process ${first.child.pid}`) });
    expect(refused).toMatchObject({
      message: expect.stringContaining(dataDir),
      hint: expect.stringContaining('DATA_DIR'),
    });
    await first.kill();
    const store = await embedded(dataDir);
    await store.close();
    expect(readdirSync(dataDir)).toEqual(['db']);
  });

  it('loses no row that was acknowledged before kill -9', async () => {
    const dataDir = await newFolder();
    let kept = 0;
    for (let round = 0; round < 2; round++) {
      const writer = await acknowledging(dataDir);
      await writer.until(30);
      await writer.kill();
      const store = await embedded(dataDir);
      const { rows } = await store.execute(`select content::int as n from messages where id > ${kept} order by id`);
      const numbers = rows.map((row) => (row as { n: number }).n);
      // The last insert may have been taken without its number having been printed; none before may be missing.
      expect(numbers.length).toBeGreaterThanOrEqual(writer.acknowledged());
      expect(numbers).toEqual(numbers.map((_, i) => i + 1));
      kept = Number(
        (await store.execute('select max(id) as n from messages')).rows.map((row) => (row as { n: number }).n)[0],
      );
      await store.close();
    }
  });

  it('is made anew when the process that made it was killed before it was whole', async () => {
    const dataDir = await newFolder();
    writeFileSync(join(dataDir, 'db.unfinished'), '');
    rmSync(join(dataDir, 'db', 'PG_VERSION'));
    const store = await embedded(dataDir);
    expect((await store.execute('select count(*)::int as n from workspaces')).rows).toEqual([{ n: 0 }]);
    await store.close();
    expect(readdirSync(dataDir)).toEqual(['db']);
  });

  it('is refused to the same process while it is open, and free again after close', async () => {
    const dataDir = await newFolder();
    const store = await embedded(dataDir);
    await expect(embedded(dataDir)).rejects.toThrow(UserError);
    await store.close();
    await (await embedded(dataDir)).close();
  });
});

describe('the lock of a folder', () => {
  const quick = { heartbeatMs: 50, silenceMs: 400 };
  function lockPath() {
    const folder = mkdtempSync(join(tmpdir(), 'finetutor-lock-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    return join(folder, 'db.lock');
  }
  const lock = async (path: string) => {
    const unlock = await lockFolder(path, '/data', quick);
    cleanups.push(unlock);
    return unlock;
  };
  async function heldBy(path: string, change: object) {
    const unlock = await lockFolder(path, '/data', quick);
    const owner: object = JSON.parse(readFileSync(path, 'utf8'));
    unlock();
    writeFileSync(path, JSON.stringify({ ...owner, token: 'theirs', ...change }));
  }

  it('is taken over from a process whose pid another one has now', async () => {
    const path = lockPath();
    await heldBy(path, { processStart: '1' });
    await lock(path);
  });

  it('is taken over from a pid that no longer exists, and from a file that is no lock', async () => {
    const path = lockPath();
    await heldBy(path, { pid: 2 ** 22 + 1 });
    (await lock(path))();
    writeFileSync(path, '{"pid":');
    await lock(path);
  });

  it('goes by the heartbeat of an owner in another container, where every pid may be 1', async () => {
    const path = lockPath();
    await heldBy(path, { realm: 'elsewhere', pid: process.pid });
    const beating = setInterval(() => utimesSync(path, new Date(), new Date()), 50);
    await expect(lock(path)).rejects.toThrow(UserError);
    clearInterval(beating);
    await lock(path);
  });

  it('goes to exactly one of many that find a dead owner at the same moment', async () => {
    const path = lockPath();
    await heldBy(path, { pid: 2 ** 22 + 1 });
    const taken = await Promise.allSettled(Array.from({ length: 8 }, () => lock(path)));
    expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is left alone by an owner that lost it', async () => {
    const path = lockPath();
    const unlock = await lock(path);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"token":"[^"]*"/, '"token":"theirs"'));
    unlock();
    expect(existsSync(path)).toBe(true);
  });
});

describe('a database address', () => {
  it('is shown without its password', () => {
    expect(maskPassword('postgres://ada:s3cret@db:5432/x?sslmode=require')).toBe(
      'postgres://ada:***@db:5432/x?sslmode=require',
    );
    expect(maskPassword('postgres://db/x?user=ada&password=s3cret')).not.toContain('s3cret');
    expect(maskPassword('not an address s3cret')).not.toContain('s3cret');
  });

  it('where nothing answers is named, with what to do', async () => {
    const databaseUrl = 'postgres://ada:s3cret@127.0.0.1:1/x';
    const error = await openStore({ databaseUrl, dataDir: tmpdir() }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      message: expect.stringContaining('127.0.0.1:1/x'),
      hint: expect.stringContaining('DATABASE_URL'),
    });
    expect(String(error)).not.toContain('s3cret');
  });

  describe.skipIf(missingServer !== undefined)(
    `of a server${missingServer ? ` (skipped: ${missingServer})` : ''}`,
    () => {
      const server = postgresServer();

      it.each([
        ['a wrong password', (url: string) => url.replace('secret', 'wr0ng'), /password/],
        [
          'a database that is not there',
          (url: string) => url.replace(/test_\w+/, 'nowhere'),
          /no database of that name/,
        ],
      ])('with %s is refused in words', async (_, spoil, words) => {
        const error = await openStore({ databaseUrl: spoil(await server.createDatabase()), dataDir: tmpdir() }).catch(
          (e: unknown) => e,
        );
        expect(error).toBeInstanceOf(UserError);
        expect(String(error)).toMatch(words);
        expect(String(error)).not.toMatch(/wr0ng|secret/);
      });

      it('may be opened by several processes at once, the first time too', async () => {
        const databaseUrl = await server.createDatabase();
        const stores = await Promise.all([1, 2, 3, 4].map(() => openStore({ databaseUrl, dataDir: tmpdir() })));
        const [store] = stores;
        const written = readdirSync('migrations').filter((name) => name.endsWith('.sql')).length;
        expect((await store?.execute('select count(*)::int as n from drizzle.__drizzle_migrations'))?.rows).toEqual([
          { n: written },
        ]);
        await Promise.all(stores.map((each) => each.close()));
      });
    },
  );
});

/** A process that inserts rows and counts the acknowledged ones aloud. */
async function acknowledging(dataDir: string) {
  const script = fileURLToPath(new URL('fixtures/acknowledge.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let printed = '';
  const acknowledged = () => printed.split('\n').length - 1;
  const waiting = new Set<() => void>();
  child.stdout?.on('data', (chunk) => {
    printed += String(chunk);
    for (const check of waiting) check();
  });
  const until = (count: number) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (acknowledged() >= count) resolve();
      };
      waiting.add(check);
      check();
      void exited.then(() => reject(new Error('the writer ended early')));
    });
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  cleanups.push(kill);
  await until(1);
  return { child, until, kill, acknowledged };
}
