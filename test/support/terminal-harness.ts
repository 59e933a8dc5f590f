// A person at a terminal: types lines into the front's input and reads the screen of a real (headless) terminal emulator.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import xterm from '@xterm/headless';
import { expect } from 'vitest';
import type { Place } from '../../bot/chat/message.ts';
import type { Front, Handle } from '../../bot/fronts/front.ts';
import { createTerminalFront } from '../../bot/fronts/terminal/front.ts';
import type { FakeEngine } from './fake-engine.ts';
import type { Filled, FrontHarness } from './front-contract.ts';

const place: Place = { front: 'terminal', workspaceId: 'local', conversationId: 'terminal' };

export interface TerminalHarness extends FrontHarness {
  /** Types a line and presses Enter. */
  type(line: string): void;
}

export async function createTerminalHarness(
  engine: FakeEngine,
  { isTTY = true, columns = 100, rows = 50, colours = false } = {},
): Promise<TerminalHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'finetutor-terminal-'));
  const emulator = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback: 5000,
    convertEol: true,
    allowProposedApi: true,
  });
  const written: string[] = [];
  const output = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk.toString());
        emulator.write(chunk, done);
      },
    }),
    { isTTY, columns, rows },
  );
  const input = new PassThrough();
  let handled: Promise<void> = Promise.resolve();
  let keys = 0;
  const givenKeys: (string | undefined)[] = [];
  const attached: string[] = [];

  const front: Front = createTerminalFront({
    input,
    output,
    place,
    person: { id: 'contract', name: 'Contract' },
    conversations: engine.conversations,
    colours,
    picturePath: (pictureId) => `pictures/${pictureId}.png`,
    sectionUrl: (chapterId, sectionId) => `http://127.0.0.1:3000/guide/${chapterId}#${sectionId}`,
    now: () => new Date(),
    newKey: () => givenKeys.shift() ?? `key-${++keys}`,
    onClose: () => {},
  });

  const type = (line: string) => {
    input.write(`${line}\n`);
  };
  async function transcript() {
    while (output.writableLength > 0) await new Promise(setImmediate);
    await new Promise<void>((resolve) => emulator.write('', resolve));
    const buffer = emulator.buffer.active;
    return Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row)?.translateToString(true) ?? '')
      .join('\n')
      .trimEnd();
  }
  async function pressNumbered(label: string) {
    const screen = (await transcript()).replace(/\s+/g, ' ');
    const number = [...screen.matchAll(/\[(\d+)\] /g)].find((found) =>
      screen.slice(found.index + found[0].length).startsWith(label),
    )?.[1];
    if (number === undefined) throw new Error(`nothing on the screen is numbered and called ${label}`);
    type(number);
  }
  /** A file by its path, several choices by their numbers. */
  async function wordsFor(asked: Filled[string]): Promise<string> {
    if (typeof asked === 'string') return asked;
    if ('name' in asked) {
      const path = join(folder, asked.name);
      await writeFile(path, asked.content);
      return path;
    }
    const lines = (await transcript()).split('\n');
    const numbers = asked.map(
      (label) => /^ *(\d+)\./.exec(lines.findLast((line) => line.endsWith(`. ${label}`)) ?? '')?.[1],
    );
    return numbers.join(', ') || 'none';
  }
  const lastLine = async () => (await transcript()).split('\n').at(-1) ?? '';

  return {
    front,
    place,
    type,
    async start(handle: Handle) {
      await front.start((incoming) => {
        handled = handle(incoming);
        return handled;
      });
    },
    async say(text, { key } = {}) {
      givenKeys.push(key);
      type([text, ...attached.splice(0).map((path) => `"${path}"`)].join(' '));
    },
    async attach({ name, content }) {
      const path = join(folder, name);
      await writeFile(path, content);
      attached.push(path);
    },
    press: pressNumbered,
    choose: pressNumbered,
    async submit(submitLabel, values) {
      await pressNumbered(submitLabel);
      let before = '';
      while (true) {
        await expect.poll(lastLine).toSatisfy((line: string) => line !== before && /: ?$|^›/.test(line));
        before = await lastLine();
        if (before.startsWith('›')) return;
        const asked = Object.entries(values).find(([label]) => before.startsWith(label))?.[1] ?? '';
        const typed = await wordsFor(asked);
        type(typed);
        before = `${before}${typed}`;
      }
    },
    transcript,
    othersPress: () => Promise.reject(new Error('a terminal has one person')),
    othersTranscript: () => Promise.reject(new Error('a terminal has one person')),
    restart: () => Promise.reject(new Error('a terminal starts with an empty screen')),
    async stop() {
      await front.stop();
      emulator.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
