// What chat fronts share: the splitter, the one writer of a message, the circuit, the turnstile, downloads.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCircuit } from '../bot/fronts/circuit.ts';
import { createDownloads } from '../bot/fronts/download.ts';
import { createPostQueue } from '../bot/fronts/post-queue.ts';
import { splitMarkdown } from '../bot/fronts/split.ts';
import { createTurnstile } from '../bot/fronts/turnstile.ts';

describe('splitting markdown', () => {
  const words = fc.array(fc.stringMatching(/^[a-zA-Zäöß🎈𝄞é.!?]{1,30}$/u), { minLength: 1, maxLength: 60 });
  const paragraph = words.map((found) => found.join(' '));
  const fence = fc
    .tuple(fc.constantFrom('', 'js', 'text'), fc.array(fc.stringMatching(/^[a-z =;🎈]{0,80}$/u), { maxLength: 12 }))
    .map(([language, lines]) => [`\`\`\`${language}`, ...lines, '```'].join('\n'));
  const table = fc
    .array(fc.tuple(fc.stringMatching(/^[a-z]{1,9}$/), fc.stringMatching(/^[0-9.]{1,9}$/)), {
      minLength: 1,
      maxLength: 30,
    })
    .map((rows) => ['| word | number |', '| --- | ---: |', ...rows.map(([a, b]) => `| ${a} | ${b} |`)].join('\n'));
  const document = fc
    .array(fc.oneof(paragraph, fence, table), { minLength: 1, maxLength: 8 })
    .map((all) => all.join('\n\n'));
  const limits = fc.integer({ min: 60, max: 400 });
  const letters = (text: string) => text.replace(/^(```.*|\| word.*|\| ---.*)$/gm, '').replace(/\s+/g, '');

  it('keeps every part within the limit and loses no word', () => {
    fc.assert(
      fc.property(document, limits, (markdown, limit) => {
        const parts = splitMarkdown(markdown, limit);
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(limit);
          expect(part.trim()).not.toBe('');
        }
        expect(letters(parts.join('\n'))).toBe(letters(markdown));
      }),
    );
  });

  it('never leaves a fence open, a table without its head, or half a character', () => {
    fc.assert(
      fc.property(document, limits, (markdown, limit) => {
        for (const part of splitMarkdown(markdown, limit)) {
          expect((part.match(/^```/gm) ?? []).length % 2).toBe(0);
          expect(part).not.toMatch(/\p{Surrogate}/u);
          const outside = part.replace(/^```[\s\S]*?^```/gm, '');
          if (/^\| [a-z]+ \| [0-9.]+ \|$/m.test(outside)) expect(outside).toContain('| word | number |\n| ---');
        }
      }),
    );
  });

  it('leaves a text that fits as it is, and cuts one endless word between its characters', () => {
    expect(splitMarkdown('one\n\ntwo', 100)).toEqual(['one\n\ntwo']);
    expect(splitMarkdown('', 100)).toEqual([]);
    const family = '👩‍👩‍👧'.repeat(30);
    const parts = splitMarkdown(family, 50);
    expect(parts.join('')).toBe(family);
    for (const part of parts) expect(part.length % '👩‍👩‍👧'.length).toBe(0);
  });

  it('opens a cut fence again in its language', () => {
    const code = ['```python', ...Array.from({ length: 20 }, (_, line) => `print(${line})  # a line`), '```'].join(
      '\n',
    );
    for (const part of splitMarkdown(code, 120)) expect(part).toMatch(/^```python\n[^`]+\n```$/);
  });
});

describe('the one writer of a message', () => {
  /** A clock that only moves when told. */
  function clock() {
    let ms = 0;
    let timers: { at: number; callback: () => void }[] = [];
    return {
      now: () => new Date(ms),
      after: (delayMs: number, callback: () => void) => {
        const timer = { at: ms + delayMs, callback };
        timers.push(timer);
        return () => {
          timers = timers.filter((other) => other !== timer);
        };
      },
      async pass(byMs: number) {
        const end = ms + byMs;
        for (;;) {
          await new Promise(setImmediate);
          const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
          if (next === undefined) break;
          timers = timers.filter((other) => other !== next);
          ms = next.at;
          next.callback();
        }
        ms = end;
      },
    };
  }
  class Later extends Error {
    readonly waitMs: number;
    constructor(waitMs: number) {
      super('later');
      this.waitMs = waitMs;
    }
  }
  function queue(answers: (Error | undefined)[] = []) {
    const time = clock();
    const written: string[] = [];
    let atOnce = 0;
    const posts = createPostQueue<string>({
      ...time,
      cadenceMs: 2000,
      retryAfterMs: (error, attempt) => (error instanceof Later && attempt <= 3 ? error.waitMs : undefined),
      write: async (key, state) => {
        expect(++atOnce).toBe(1);
        await new Promise(setImmediate);
        atOnce -= 1;
        const answer = answers.shift();
        if (answer !== undefined) throw answer;
        written.push(`${time.now().getTime()} ${key}=${state}`);
      },
    });
    return { posts, written, ...time };
  }

  it('writes the first state at once, then the latest one of each cadence', async () => {
    const { posts, written, pass } = queue();
    const all = ['a', 'b', 'c'].map((state) => posts.put('card', state));
    await pass(1999);
    expect(written).toEqual(['0 card=a']);
    await pass(1);
    await Promise.all(all);
    expect(written).toEqual(['0 card=a', '2000 card=c']);
  });

  it('waits as long as it is asked to, then writes what is newest by then', async () => {
    const { posts, written, pass } = queue([new Later(7000)]);
    const first = posts.put('card', 'a');
    await pass(3000);
    const second = posts.put('card', 'b');
    await pass(3999);
    expect(written).toEqual([]);
    await pass(1);
    await Promise.all([first, second]);
    expect(written).toEqual(['7000 card=b']);
  });

  it('gives up after some attempts and says why, and goes on with the next state', async () => {
    const { posts, written, pass } = queue([new Later(1), new Later(1), new Later(1), new Later(1)]);
    const lost = expect(posts.put('card', 'a')).rejects.toThrow('later');
    await pass(10);
    await lost;
    const next = posts.put('card', 'b');
    await pass(10);
    await next;
    expect(written).toEqual([expect.stringContaining('card=b')]);
  });

  it('writes what waits for its cadence when it is drained', async () => {
    const { posts, written } = queue();
    void posts.put('card', 'a');
    void posts.put('card', 'last');
    await posts.drain();
    expect(written).toEqual(['0 card=a', '0 card=last']);
  });

  it('gives up what the platform still makes it wait for when it has been patient enough', async () => {
    const { posts, written, pass } = queue([new Later(60_000)]);
    const lost = expect(posts.put('card', 'a')).rejects.toThrow('given up');
    await pass(10);
    const drained = posts.drain(5000);
    await pass(5000);
    await Promise.all([lost, drained]);
    expect(written).toEqual([]);
  });

  it('always ends on the last state, whatever fails and whenever states come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.constantFrom(undefined, 500, 4000)), { maxLength: 12 }),
        async (steps) => {
          const { posts, written, pass } = queue(
            steps.map(([, waitMs]) => (waitMs === undefined ? undefined : new Later(waitMs))).slice(0, 3),
          );
          const puts: Promise<void>[] = [];
          for (const [index, [gapMs]] of steps.entries()) {
            puts.push(posts.put('card', String(index)));
            await pass(gapMs);
          }
          await pass(60_000);
          await Promise.all(puts);
          if (steps.length > 0) expect(written.at(-1)?.split('=')[1]).toBe(String(steps.length - 1));
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('the circuit', () => {
  function circuit() {
    let ms = 0;
    const made = createCircuit({ failures: 3, windowMs: 1000, coolDownMs: 5000, now: () => new Date(ms) });
    return { made, pass: (by: number) => (ms += by) };
  }

  it('opens after failures in one window, lets one request try after the cool-down, and closes when that succeeds', () => {
    const { made, pass } = circuit();
    made.failed();
    pass(1001);
    made.failed();
    made.failed();
    expect(made.state()).toBe('closed');
    made.failed();
    expect([made.state(), made.allows()]).toEqual(['open', false]);
    pass(5000);
    expect([made.state(), made.allows(), made.allows()]).toEqual(['half-open', true, false]);
    made.succeeded();
    expect([made.state(), made.allows()]).toEqual(['closed', true]);
  });

  it('opens at once when tripped, and again when the try fails', () => {
    const { made, pass } = circuit();
    made.trip();
    expect(made.allows()).toBe(false);
    pass(5000);
    expect(made.allows()).toBe(true);
    made.failed();
    expect(made.allows()).toBe(false);
  });
});

describe('the turnstile', () => {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const turns = async (count: number) => {
    for (let n = 0; n < count; n++) await new Promise(setImmediate);
  };

  it('lets in as many as it is wide, in order, with a turn of the event loop between', async () => {
    const enter = createTurnstile(2);
    const log: string[] = [];
    let inside = 0;
    let most = 0;
    await Promise.all(
      [1, 2, 3, 4, 5].map((n) =>
        enter(async () => {
          most = Math.max(most, ++inside);
          log.push(`in ${n}`);
          await pause(20);
          inside -= 1;
        }),
      ),
    );
    expect(most).toBe(2);
    expect(log).toEqual(['in 1', 'in 2', 'in 3', 'in 4', 'in 5']);
    await expect(enter(() => Promise.reject(new Error('inside')))).rejects.toThrow('inside');
    await expect(enter(async () => 'still open')).resolves.toBe('still open');
  });

  it('lets nobody in while something quick is under way, nor in the turns in which more of it may show itself', async () => {
    let quick = 1;
    const enter = createTurnstile(2, () => quick > 0);
    let entered = false;
    const work = enter(async () => {
      entered = true;
    });
    for (let n = 0; n < 10; n++) {
      await pause(1);
      // It ends, and two turns later another begins: an answer between the two would have made that one wait.
      quick = 0;
      await turns(2);
      quick = 1;
    }
    expect(entered).toBe(false);
    quick = 0;
    await work;
    expect(entered).toBe(true);
  });

  it('does not keep anybody waiting for ever for somebody slow', async () => {
    const enter = createTurnstile(1, () => true);
    const began = performance.now();
    expect(await enter(async () => 'in')).toBe('in');
    expect(performance.now() - began).toBeGreaterThan(20);
  });
});

describe('downloads', () => {
  let server: Server;
  let folder: string;
  let host: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'finetutor-download-'));
    server = createServer((request, response) => {
      if (request.url === '/elsewhere') response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
      else if (request.url === '/gone') response.writeHead(404).end();
      else response.end('x'.repeat(Number(request.url?.slice(1))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });
  const make = () => createDownloads({ folder: join(folder, 'in'), limitBytes: 1000, hosts: [host] });
  const file = (path: string, name = 'a.csv', bytes = 1) => ({ url: `http://${host}${path}`, name, bytes });

  it('keeps a file under a name of ours until it is removed', async () => {
    const downloads = make();
    const kept = await downloads.fetch(file('/900', '../../etc/passwd'));
    expect(kept).toMatchObject({ name: 'passwd', bytes: 900 });
    expect(await readFile(kept.path, 'utf8')).toBe('x'.repeat(900));
    await downloads.remove(kept);
    expect(await readdir(join(folder, 'in'))).toEqual([]);
  });

  it.each([
    ['too large by its own word', () => file('/10', 'a.csv', 2000), 'a file may have'],
    ['larger than it said', () => file('/2000'), 'a file may have'],
    ['from another host', () => ({ url: 'http://169.254.169.254/x', name: 'a.csv', bytes: 1 }), 'does not lie where'],
    ['redirected', () => file('/elsewhere'), 'could not be fetched'],
    ['gone', () => file('/gone'), 'answered 404'],
  ])('refuses a file that is %s, and keeps nothing', async (_why, given, message) => {
    await expect(make().fetch(given())).rejects.toThrow(message);
    expect(await readdir(join(folder, 'in')).catch(() => [])).toEqual([]);
  });
});
