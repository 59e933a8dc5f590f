// Events in files, before they are acknowledged: on the disk by then, a file a process, taken over only from the dead.
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSpool, type SpoolOptions } from '../bot/fronts/spool.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'finetutor-spool-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (more: Partial<SpoolOptions> = {}) => createSpool({ folder, alone: false, ...more });
const event = (key: string, payload: unknown = { words: `“${key}”\n` }) => ({
  workspaceId: 'w',
  key,
  payload,
  receivedAt: new Date('2026-01-01T00:00:00Z'),
});
const leftIn = (more: Partial<SpoolOptions> = {}) =>
  open(more)
    .takeLeft()
    .flatMap(({ events }) => events);
const keysLeft = () => leftIn({ alone: true }).map(({ key }) => key);
const files = () => readdirSync(folder).map((name) => join(folder, name));
/** As if its process had said nothing for so long. */
const age = (seconds: number) => {
  const at = Date.now() / 1000 - seconds;
  for (const path of files()) utimesSync(path, at, at);
};

describe('a spool', () => {
  it('gives back what a process left, in order, without what it had done', async () => {
    const first = open();
    for (const key of ['a', 'b', 'c']) await first.put(event(key));
    first.remove(event('b'));
    expect(leftIn({ alone: true })).toEqual([event('a'), event('c')]);
    expect(statSync(files()[0] ?? '').mode & 0o077).toBe(0);
  });

  it('resolves only after a sync that began once it was written; a thousand share a few', async () => {
    let syncs = 0;
    let finish = () => {};
    const spool = open({
      syncData: async () => {
        syncs += 1;
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      },
    });
    const done: string[] = [];
    const put = (key: string) => void spool.put(event(key)).then(() => done.push(key));
    put('first');
    await Promise.resolve().then(() => {});
    expect(syncs).toBe(1);
    for (let n = 0; n < 1000; n++) put(`later ${n}`);
    expect(done).toEqual([]);
    finish();
    await expect.poll(() => syncs).toBe(2);
    // The first sync may have come too early for them.
    expect(done).toEqual(['first']);
    finish();
    await expect.poll(() => done.length).toBe(1001);
    expect(syncs).toBe(2);
  });

  it('tells of a disk that fails, and tries again for the next', async () => {
    const broken = new Error('no space');
    const failing = [broken];
    const spool = open({
      syncData: async () => {
        const error = failing.pop();
        if (error !== undefined) throw error;
      },
    });
    await expect(spool.put(event('a'))).rejects.toBe(broken);
    await spool.put(event('b'));
  });

  it('leaves the file of a process that lives, and takes over one that has not said so for half a minute, once', async () => {
    const living = open();
    await living.put(event('a'));
    age(29);
    expect(leftIn()).toEqual([]);
    age(31);
    living.live();
    expect(leftIn()).toEqual([]);
    age(31);
    const [second, third] = [open(), open()];
    const [taken] = second.takeLeft();
    expect(taken?.events).toEqual([event('a')]);
    expect(third.takeLeft()).toEqual([]);
    // Not yet kept elsewhere, and this process lives too.
    age(31);
    second.live();
    expect(third.takeLeft()).toEqual([]);
    taken?.forget();
    expect(files()).toEqual([]);
  });

  it('goes on in a file of its own when it had only slept', async () => {
    const slept = open();
    await slept.put(event('a'));
    age(60);
    const [taken] = open().takeLeft();
    taken?.forget();
    slept.live();
    await slept.put(event('b'));
    expect(keysLeft()).toEqual(['a', 'b']);
  });

  it('passes over a line that was cut short, and reads the one after it', async () => {
    const spool = open();
    await spool.put(event('a'));
    const [path = ''] = files();
    const torn = readFileSync(path, 'utf8').slice(0, -20);
    appendFileSync(path, torn);
    appendFileSync(path, `\n${'\0'.repeat(100)}\n${JSON.stringify({ event: event('c') })}`);
    expect(keysLeft()).toEqual(['a', 'c']);
  });

  it('does not grow without end: empty once all is done, written anew when most is', async () => {
    const spool = open({ longestBytes: 20_000 });
    await spool.put(event('stays'));
    for (let n = 0; n < 500; n++) {
      await spool.put(event(`${n}`, 'x'.repeat(400)));
      spool.remove(event(`${n}`));
    }
    expect(files()).toHaveLength(1);
    expect(statSync(files()[0] ?? '').size).toBeLessThan(21_000);
    spool.remove(event('stays'));
    expect(statSync(files()[0] ?? '').size).toBe(0);
    await spool.put(event('again'));
    await spool.close();
    expect(keysLeft()).toEqual(['again']);
  });

  it('closes without a file left when nothing is', async () => {
    const spool = open();
    await spool.put(event('a'));
    spool.remove(event('a'));
    await spool.close();
    expect(files()).toEqual([]);
  });
});
