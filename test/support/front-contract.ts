// What every front must do, whichever it is: one suite, run over each with a harness that acts as a person would.
// A front joins by writing a `FrontHarness`; what it can't do by nature is skipped by name, with the reason.
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Command, defineCommand } from '../../bot/chat/command.ts';
import { createConversation } from '../../bot/chat/conversation.ts';
import { plain } from '../../bot/chat/escape.ts';
import type { Block, Place, Reply } from '../../bot/chat/message.ts';
import { aside, button, buttons, reply, text } from '../../bot/chat/reply.ts';
import type { Front, Handle } from '../../bot/fronts/front.ts';
import { createFakeEngine, type FakeEngine, noBattles, pixel } from './fake-engine.ts';

export interface SentFile {
  readonly name: string;
  readonly content: string;
}

/** What a person fills in, by field label: words, a file, or the labels of what is ticked. */
export type Filled = { readonly [fieldLabel: string]: string | readonly string[] | SentFile };

/** Acts as a person at one front. Every method does what a person does; none looks inside the front. */
export interface FrontHarness {
  readonly front: Front;
  /** Where that person writes: the place of the events that reach `handle`. */
  readonly place: Place;
  start(handle: Handle): Promise<void>;
  /** Writes a message, with the attached files if there are any. `key`: the event's idempotency key, to deliver it twice. */
  say(text: string, options?: { readonly key?: string }): Promise<void>;
  /** Adds a file to the next message. */
  attach(file: SentFile): Promise<void>;
  /** Presses the button with this label. */
  press(label: string): Promise<void>;
  /** The same, by another person in the same conversation. */
  othersPress(label: string): Promise<void>;
  /** Picks the option with this label. */
  choose(label: string): Promise<void>;
  /** Fills in the form with this submit label, by field label, and sends it. */
  submit(submitLabel: string, values: Filled): Promise<void>;
  /** All that the person can perceive, in reading order: words on the screen and the alt text of pictures. */
  transcript(): Promise<string>;
  /** The same for another person in the same conversation. */
  othersTranscript(): Promise<string>;
  /** Stops the front and starts it again on the same data, with the same handler. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const contractTests = [
  'shows every kind of block',
  'edits a message in place',
  'delivers in order',
  'shows a private reply to the asker',
  'hides a private reply from others',
  'answers a redelivered event once',
  "shows markup in a person's words as text",
  'shows a long reply whole',
  'passes on the pressed button',
  'tells apart several people who press one button',
  'does not offer a disabled button',
  'passes on the chosen option',
  'round-trips the values of a form',
  'round-trips several choices',
  'round-trips no choice at all',
  'round-trips a file in a form',
  'passes on an attached file',
  'shows an error with what to do next',
  'keeps buttons working after a restart',
] as const;
export type ContractTest = (typeof contractTests)[number];

/** @param skip what this front can't do by nature, each with why. */
export function describeFront(
  name: string,
  createHarness: (engine: FakeEngine) => Promise<FrontHarness>,
  { skip = [] }: { skip?: readonly { readonly reason: string; readonly tests: readonly ContractTest[] }[] } = {},
): void {
  describe(`the ${name} front`, () => {
    let harness: FrontHarness;
    let handle: Handle;
    let received: string[];

    beforeEach(async () => {
      received = [];
      const engine = createFakeEngine();
      const picture = await engine.pictures.put(pixel);
      harness = await createHarness(engine);
      handle = createConversation({
        engine,
        commands: testCommands(received, picture.id),
        deliver: (place, shown, asker) => harness.front.deliver(place, shown, asker),
        log: { error: (details: unknown) => received.push(`error ${JSON.stringify(details)}`), debug: () => {} },
        now: () => new Date(),
        newErrorId: () => 'e-1',
        pageUrl: () => undefined,
        showRun: async () => {},
        battles: noBattles,
      });
      await harness.start(handle);
    });
    afterEach(() => harness.stop());

    const seen = async () => flatten(await harness.transcript());
    const sees = (words: string) => expect.poll(seen, { timeout: 8000 }).toContain(words);
    const show = (shown: Reply) => harness.front.deliver(harness.place, shown, { id: 'contract', name: 'Contract' });

    const tests: { readonly [T in ContractTest]: () => Promise<void> } = {
      'shows every kind of block': async () => {
        await harness.say('/everything');
        await sees('end of everything');
        const transcript = await seen();
        for (const words of [
          'a bold word',
          'first item',
          'let x = 1;',
          'Press me',
          'Pick a fruit',
          'Cherry',
          'Your model',
          'Train it',
          'Scores by class',
          'precision',
          '0.91',
          'A falling line',
          'step 5 of 10',
          '50%',
          'Chapter › Section',
          'model.safetensors',
        ]) {
          expect(transcript).toContain(words);
        }
        expect(transcript).not.toContain('**');
      },

      'edits a message in place': async () => {
        await show({ ...reply(text('before the edit')), slot: 'card' });
        await sees('before the edit');
        await show({ ...reply(text('after it')), slot: 'card' });
        await sees('after it');
        expect(await seen()).not.toContain('before the edit');
      },

      'delivers in order': async () => {
        const numbers = Array.from({ length: 20 }, (_, index) => `number ${index + 1}.`);
        await Promise.all(numbers.map((words) => show(reply(text(words)))));
        await sees('number 20.');
        const transcript = await seen();
        const places = numbers.map((words) => transcript.indexOf(words));
        expect(places).toEqual([...places].sort((a, b) => a - b));
        expect(places).not.toContain(-1);
      },

      'shows a private reply to the asker': async () => {
        await harness.say('/whisper');
        await sees('between us');
      },

      'hides a private reply from others': async () => {
        await harness.say('/whisper');
        await harness.say('/echo said aloud');
        await expect
          .poll(async () => flatten(await harness.othersTranscript()), { timeout: 8000 })
          .toContain('heard: said aloud');
        expect(flatten(await harness.othersTranscript())).not.toContain('between us');
      },

      'answers a redelivered event once': async () => {
        await harness.say('/echo one', { key: 'same-event' });
        await sees('heard: one');
        await harness.say('/echo one', { key: 'same-event' });
        await harness.say('/echo two');
        await sees('heard: two');
        expect(received).toEqual(['echo one', 'echo two']);
      },

      "shows markup in a person's words as text": async () => {
        const nasty = '<b>b</b> **s** _u_ `c` @everyone <@1> [l](https://evil.example) <img src=x onerror=boom()> # h';
        await harness.say(`/echo ${nasty}`);
        await sees(`heard: ${nasty}`);
      },

      'shows a long reply whole': async () => {
        const paragraphs = Array.from(
          { length: 120 },
          (_, index) => `Paragraph ${index + 1} ${'word '.repeat(25)}end.`,
        );
        await show(reply(text(paragraphs.join('\n\n'))));
        await sees('Paragraph 120');
        const transcript = await seen();
        for (let index = 1; index <= 120; index++) expect(transcript).toContain(`Paragraph ${index} word`);
      },

      'passes on the pressed button': async () => {
        await harness.say('/everything');
        await sees('end of everything');
        await harness.press('Press me');
        await sees('heard: a press');
      },

      'tells apart several people who press one button': async () => {
        await show(reply(buttons(button('Count me', { command: 'present', args: {} }))));
        await sees('Count me');
        await Promise.all([harness.press('Count me'), harness.othersPress('Count me')]);
        await expect.poll(() => received.length, { timeout: 8000 }).toBe(2);
        expect(new Set(received).size).toBe(2);
        await sees('counted 2');
        // Once more by the same person is another press, not another person.
        await harness.press('Count me');
        await expect.poll(() => received.length, { timeout: 8000 }).toBe(3);
        expect(new Set(received).size).toBe(2);
      },

      'does not offer a disabled button': async () => {
        const off = { ...button('Switched off', { command: 'echo', args: { words: 'off' } }), disabled: true };
        await show(reply(buttons(off)));
        await sees('Switched off');
        await harness.press('Switched off').catch(() => undefined);
        await harness.say('/echo later');
        await sees('heard: later');
        expect(received).not.toContain('echo off');
      },

      'passes on the chosen option': async () => {
        await harness.say('/everything');
        await sees('end of everything');
        await harness.choose('Cherry');
        await sees('heard: cherry-id');
      },

      'round-trips the values of a form': async () => {
        await harness.say('/everything');
        await sees('end of everything');
        await harness.submit('Train it', { Method: 'LoRA', Rank: '4', Note: 'as “written” <i>here</i>' });
        await sees('form received');
        expect(received).toEqual(['form lora 4 as “written” <i>here</i> kept file: none']);
      },

      'round-trips several choices': async () => {
        await harness.say('/everything');
        await sees('end of everything');
        await harness.submit('Train it', { Method: 'Full', Layers: ['Key', 'Value, the last'] });
        await sees('form received');
        expect(received).toEqual(['form full 8  kept layers key+value file: none']);
      },

      'round-trips no choice at all': async () => {
        await harness.say('/everything');
        await sees('end of everything');
        await harness.submit('Train it', { Method: 'Full', Layers: [] });
        await sees('form received');
        expect(received).toEqual(['form full 8  kept layers none file: none']);
      },

      'round-trips a file in a form': async () => {
        await harness.say('/everything');
        await sees('end of everything');
        await harness.submit('Train it', {
          Method: 'Full',
          Data: { name: 'my data.csv', content: 'text,label\nä,b\n' },
        });
        await sees('form received');
        expect(received).toEqual(['form full 8  kept file: my data.csv text,label\nä,b\n']);
      },

      'passes on an attached file': async () => {
        await harness.attach({ name: 'moods.csv', content: 'text,label\nfine,good\n' });
        await harness.say('/finetune');
        await sees('file received');
        expect(received).toEqual(['file moods.csv text,label\nfine,good\n']);
      },

      'shows an error with what to do next': async () => {
        await harness.say('/echo');
        await sees("The words can't be nothing");
        await sees('Usage: echo <words>');
      },

      'keeps buttons working after a restart': async () => {
        await harness.say('/everything');
        await sees('end of everything');
        await harness.restart();
        await sees('end of everything');
        await harness.press('Press me');
        await sees('heard: a press');
      },
    };

    for (const title of contractTests) {
      const gap = skip.find((candidate) => candidate.tests.includes(title));
      if (gap === undefined) it(title, tests[title]);
      else it.skip(`${title} (${gap.reason})`);
    }
  });
}

/** One space for any white space, none for the invisible breaks that keep mentions from becoming mentions. */
function flatten(transcript: string): string {
  return transcript.replaceAll('\u200B', '').replace(/\s+/g, ' ');
}

function testCommands(received: string[], pictureId: string): readonly Command[] {
  const base = { summary: '', examples: [], isMeant: () => true, parse: () => ({}) };
  return [
    defineCommand({
      ...base,
      name: 'echo',
      usage: 'echo <words>',
      args: z.strictObject({ words: z.string().min(1) }),
      parse: (rest) => ({ words: rest }),
      async *execute({ words }) {
        received.push(`echo ${words}`);
        yield reply(text(`heard: ${plain(words)}`));
      },
    }),
    defineCommand({
      ...base,
      name: 'present',
      usage: 'present',
      args: z.strictObject({}),
      async *execute(_args, { person }) {
        received.push(`present ${person.id}`);
        yield reply(text(`counted ${received.length}`));
      },
    }),
    defineCommand({
      ...base,
      name: 'whisper',
      usage: 'whisper',
      args: z.strictObject({}),
      async *execute() {
        yield aside(text('between us'));
      },
    }),
    defineCommand({
      ...base,
      name: 'form',
      usage: 'form',
      args: z.strictObject({
        method: z.string(),
        rank: z.string().default('8'),
        note: z.string().default(''),
        kept: z.string(),
        layers: z.array(z.string()),
      }),
      async *execute({ method, rank, note, kept, layers }, { attachments }) {
        const [file] = attachments;
        const content = file === undefined ? 'none' : `${file.name} ${await readFile(file.path, 'utf8')}`;
        // As it stood in the form: not worth telling.
        const chosen = layers.join('+') === 'query' ? '' : `layers ${layers.join('+') || 'none'} `;
        received.push(`form ${method} ${method === 'lora' ? rank : '8'} ${note} ${kept} ${chosen}file: ${content}`);
        yield reply(text('form received'));
      },
    }),
    defineCommand({
      ...base,
      name: 'finetune',
      usage: 'finetune',
      args: z.looseObject({}),
      async *execute(_args, { attachments }) {
        for (const file of attachments) received.push(`file ${file.name} ${await readFile(file.path, 'utf8')}`);
        yield reply(text('file received'));
      },
    }),
    defineCommand({
      ...base,
      name: 'everything',
      usage: 'everything',
      args: z.strictObject({}),
      async *execute() {
        yield reply(...everything(pictureId));
        yield reply(text('end of everything'));
      },
    }),
  ];
}

function everything(pictureId: string): readonly Block[] {
  return [
    text(
      'This is **a bold word**, *a slanted one* and `code`.\n\n- first item\n- second item\n\n```js\nlet x = 1;\n```',
    ),
    buttons(button('Press me', { command: 'echo', args: { words: 'a press' } }, 'primary')),
    {
      kind: 'select',
      label: 'Pick a fruit',
      options: [
        { label: 'Apple', value: 'apple-id' },
        { label: 'Cherry', value: 'cherry-id', description: 'red' },
      ],
      call: { command: 'echo', args: {} },
      argument: 'words',
    },
    {
      kind: 'form',
      title: 'Your model',
      submitLabel: 'Train it',
      call: { command: 'form', args: { kept: 'kept' } },
      fields: [
        {
          kind: 'choice',
          id: 'method',
          label: 'Method',
          required: true,
          value: 'full',
          options: [
            { label: 'Full', value: 'full' },
            { label: 'LoRA', value: 'lora' },
          ],
        },
        {
          kind: 'number',
          id: 'rank',
          label: 'Rank',
          required: true,
          value: 8,
          min: 1,
          max: 64,
          integer: true,
          when: { field: 'method', is: ['lora'] },
        },
        { kind: 'text', id: 'note', label: 'Note', required: false },
        {
          kind: 'choices',
          id: 'layers',
          label: 'Layers',
          required: false,
          value: ['query'],
          options: [
            { label: 'Query', value: 'query' },
            { label: 'Key', value: 'key' },
            { label: 'Value, the last', value: 'value' },
          ],
        },
        { kind: 'file', id: 'data', label: 'Data', required: false, accept: ['.csv'], maxBytes: 1_000_000 },
      ],
    },
    {
      kind: 'table',
      caption: 'Scores by class',
      columns: [
        { label: 'class', align: 'left' },
        { label: 'precision', align: 'right' },
      ],
      rows: [
        ['good', '0.91'],
        ['<b>bad</b>', '0.85'],
      ],
    },
    { kind: 'picture', pictureId, width: 1, height: 1, alt: 'A falling line' },
    { kind: 'progress', label: 'step 5 of 10', fraction: 0.5, detail: 'loss 0.4' },
    {
      kind: 'sources',
      sources: [{ chapterId: 'chapter', sectionId: 'section', title: 'Chapter › Section', quote: 'As it is written.' }],
    },
    { kind: 'file', path: 'runs/1/model.safetensors', name: 'model.safetensors', bytes: 2048 },
  ];
}
