// Whatever a command replies, what is sent is a message Discord takes; and whatever a person picks reaches the command.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plain } from '../bot/chat/escape.ts';
import type { Block, Field, Reply } from '../bot/chat/message.ts';
import { commands } from '../bot/commands/index.ts';
import { apiAddress } from '../bot/fronts/discord/address.ts';
import { createCustomIds, readCustomId, readRecord } from '../bot/fronts/discord/custom-id.ts';
import { buildModal, initialState, isShown, layOut, valuesOf } from '../bot/fronts/discord/forms.ts';
import { toDiscord } from '../bot/fronts/discord/markdown.ts';
import { inviteLink, missing, needs } from '../bot/fronts/discord/permissions.ts';
import { renderReply } from '../bot/fronts/discord/render.ts';
import { readSlash, slashCommands } from '../bot/fronts/discord/slash.ts';
import { slashOptions } from '../bot/fronts/discord/slash-options.ts';
import { checkCommand } from './support/discord-command-rules.ts';
import { checkModal } from './support/discord-modal-rules.ts';
import { drawMarkdown, readComponents, walk, wordsOf } from './support/discord-preview.ts';
import { checkMessage, flagBits } from './support/discord-rules.ts';
import { loadSpec, missingSpec } from './support/discord-spec.ts';

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 });
const id = fc.stringMatching(/^[a-z0-9-]{1,40}$/);
const call = fc.record({
  command: id,
  args: fc.dictionary(id, fc.oneof(words, fc.integer(), fc.boolean()), { maxKeys: 4 }),
});
const option = fc.record({
  label: words,
  value: fc.oneof(id, fc.string({ minLength: 1, maxLength: 200 })),
  description: words,
});
const distinct = <T extends { value: string }>(all: readonly T[]) => [
  ...new Map(all.map((one) => [one.value, one])).values(),
];

const block: fc.Arbitrary<Block> = fc.oneof(
  fc
    .array(words, { maxLength: 60 })
    .map((all): Block => ({ kind: 'text', markdown: all.map((one) => plain(one)).join('\n\n') })),
  fc.string({ maxLength: 9000 }).map((markdown): Block => ({ kind: 'text', markdown })),
  fc
    .array(
      fc.record({
        label: words,
        style: fc.constantFrom('primary', 'secondary', 'danger'),
        call,
        disabled: fc.boolean(),
      }),
      { minLength: 1, maxLength: 14 },
    )
    .map((buttons): Block => ({ kind: 'buttons', buttons })),
  fc.tuple(words, fc.array(option, { minLength: 1, maxLength: 60 }), call).map(
    ([label, options, its]): Block => ({
      kind: 'select',
      label,
      options: distinct(options),
      call: its,
      argument: 'chosen',
    }),
  ),
  fc.tuple(fc.array(fc.array(words, { minLength: 3, maxLength: 3 }), { maxLength: 30 }), words).map(
    ([rows, caption]): Block => ({
      kind: 'table',
      caption,
      columns: ['a', 'b', ''].map((label) => ({ label, align: 'right' })),
      rows,
    }),
  ),
  fc.integer({ min: 0, max: 1e9 }).map(
    (n): Block => ({
      kind: 'picture',
      pictureId: n.toString(16).padStart(64, '0'),
      width: 1,
      height: 1,
      alt: `picture ${n}`,
    }),
  ),
  fc
    .tuple(words, fc.double(), words)
    .map(([label, fraction, detail]): Block => ({ kind: 'progress', label, fraction, detail })),
  fc.array(words, { minLength: 1, maxLength: 5 }).map(
    (titles): Block => ({
      kind: 'sources',
      sources: titles.map((title, n) => ({ chapterId: `c${n}`, sectionId: 's', title, quote: title.repeat(4) })),
    }),
  ),
  fc
    .tuple(id, fc.integer({ min: 0, max: 4e7 }))
    .map(([name, bytes]): Block => ({ kind: 'file', path: `runs/${name}`, name: `${name}.bin`, bytes })),
);
const replies: fc.Arbitrary<Reply> = fc.record({
  audience: fc.constantFrom('everyone', 'asker'),
  blocks: fc.array(block, { maxLength: 12 }),
});

const render = (reply: Reply) => renderReply(reply, { sectionUrl: () => undefined, fileBytes: 10 * 1024 * 1024 });
const send = (page: ReturnType<typeof render>['pages'][number]) =>
  checkMessage(
    {
      components: page.components,
      flags: flagBits.componentsV2,
      attachments: page.files.map(({ name, description }, n) => ({
        id: String(n),
        filename: name,
        ...(description === undefined ? {} : { description }),
      })),
    },
    'post',
    page.files.map(({ name }) => name),
    undefined,
  );

describe('any reply', () => {
  it('becomes messages that keep every rule', () => {
    fc.assert(
      fc.property(replies, (reply) => {
        const { pages } = render(reply);
        expect(pages.length).toBeGreaterThan(0);
        for (const page of pages) send(page);
      }),
      { numRuns: 150 },
    );
  });

  it.skipIf(missingSpec !== undefined)(
    `becomes messages that Discord's own description takes${missingSpec === undefined ? '' : ` (skipped: ${missingSpec})`}`,
    () => {
      const check = loadSpec();
      expect(check('POST', '/channels/1/messages', { components: 'none' })).not.toEqual([]);
      fc.assert(
        fc.property(replies, (reply) => {
          for (const page of render(reply).pages) expect(check('POST', '/channels/1/messages', send(page))).toEqual([]);
        }),
        { numRuns: 40 },
      );
    },
  );

  it('keeps the call of every button and option, within the message or in the database', () => {
    fc.assert(
      fc.property(replies, (reply) => {
        const { pages, keepsakes } = render(reply);
        const stored = new Map(
          keepsakes.map(({ id: its, value }) => [its, readRecord(JSON.parse(JSON.stringify(value)))]),
        );
        const calls = pages
          .flatMap(({ components }) => walk(readComponents(components)))
          .flatMap(({ type, custom_id }) => (type === 2 && custom_id !== undefined ? [readCustomId(custom_id)] : []))
          .map((meaning) => {
            if (meaning?.kind === 'call') return meaning.call;
            const record = meaning?.kind === 'kept' ? stored.get(meaning.id) : undefined;
            return record?.kind === 'call' ? record.call : undefined;
          });
        const wanted = reply.blocks.flatMap((one) =>
          one.kind === 'buttons' ? one.buttons.map((button) => button.call) : [],
        );
        const found = calls.filter(
          (one) => one?.command !== 'explain' || wanted.some(({ command }) => command === 'explain'),
        );
        expect(JSON.parse(JSON.stringify(found))).toEqual(JSON.parse(JSON.stringify(wanted)));
      }),
      { numRuns: 60 },
    );
  });

  it("shows a person's words as they wrote them", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[ -~äß🎈]{1,40}$/u), { minLength: 1, maxLength: 3 }), (lines) => {
        for (const line of lines) {
          const flat = (text: string) => text.replaceAll('\u200B', '').replace(/\s+/g, ' ').trim();
          const components = [{ type: 10, content: toDiscord(`heard: ${plain(line)}`) }];
          expect(flat(wordsOf({ components }))).toBe(flat(`heard: ${line}`));
        }
      }),
    );
  });

  it('mentions nobody', () => {
    for (const nasty of [
      '@everyone',
      '@here',
      '<@123456789012345678>',
      '<@&123456789012345678>',
      '<#123456789012345678>',
    ]) {
      expect(drawMarkdown(toDiscord(plain(nasty)))).not.toContain('mention');
      expect(drawMarkdown(toDiscord(nasty))).not.toContain('mention');
    }
  });
});

describe('a form', () => {
  const field = (n: number): Field => ({
    kind: 'number',
    id: `n${n}`,
    label: `Number ${n}`,
    required: true,
    value: n,
    min: 0,
    max: 9,
    integer: true,
  });
  const large = {
    kind: 'form',
    title: 'A form with a title that is longer than a modal may have',
    submitLabel: 'Go',
    call: { command: 'x', args: {} },
    fields: [
      {
        kind: 'choice',
        id: 'kind',
        label: 'Kind',
        required: true,
        value: 'a',
        options: [
          { label: 'A', value: 'a' },
          { label: 'B', value: 'b' },
        ],
      },
      {
        kind: 'file',
        id: 'file',
        label: 'File',
        required: true,
        accept: ['.csv'],
        maxBytes: 10,
        when: { field: 'kind', is: ['b'] },
      },
      ...Array.from({ length: 7 }, (_, n) => field(n)),
    ],
  } as const satisfies Block;

  it('asks what it needs in the modal that sends, and offers the rest in another', () => {
    const closed = layOut(large, initialState(large));
    expect(closed.asked.map(({ id: its }) => its)).toEqual(['n0', 'n1', 'n2', 'n3', 'n4']);
    const open = layOut(large, { ...initialState(large), kind: 'b' });
    expect(open.asked[0]?.id).toBe('file');
    expect([...open.asked, ...open.more].map(({ id: its }) => its).sort()).toEqual([
      'file',
      'n0',
      'n1',
      'n2',
      'n3',
      'n4',
      'n5',
      'n6',
    ]);
    for (const fields of [open.asked, open.more]) checkModal(buildModal(large, initialState(large), fields, 'id'));
  });

  it('sends only what applies', () => {
    const state = { ...initialState(large), kind: 'a' };
    expect(valuesOf(large, state, new Map([['file', 'a file']]))).not.toHaveProperty('file');
    expect(isShown(large.fields[1], { kind: 'b' })).toBe(true);
  });
});

const readLocal = (names: unknown, locale: string) => new Map(Object.entries(names ?? {})).get(locale);

describe('slash commands', () => {
  it('are what Discord takes, one for each command, with names in other languages', () => {
    const made = slashCommands(commands);
    for (const one of made) checkCommand(JSON.parse(JSON.stringify(one)));
    expect(made.map(({ name }) => name)).toEqual([
      ...commands.map(({ name }) => name),
      'Explain this',
      'Quiz me on this',
    ]);
    const unnamed = made.filter((one) => Object.keys(one.name_localizations ?? {}).length < 5);
    expect(
      unnamed.map(({ name }) => name),
      'these lack names in bot/fronts/discord/local-names.ts',
    ).toEqual([]);
    for (const locale of Object.keys(made[0]?.name_localizations ?? {})) {
      const names = made.map((one) => `${one.type} ${readLocal(one.name_localizations, locale)}`);
      expect(new Set(names).size, `a name means one command in ${locale}: ${names.sort().join(', ')}`).toBe(
        names.length,
      );
    }
  });

  it('fill in arguments that every command takes', () => {
    for (const command of commands) {
      const filledIn = slashOptions(command.name).flatMap((one): { name: string; value: string | number }[] => {
        if (one.kind === 'file' || one.kind === 'forum') return [];
        if (one.kind === 'choice') return [{ name: one.name, value: one.choices[0] ?? '' }];
        if (one.kind === 'whole') return [{ name: one.name, value: one.least }];
        if (one.argument === 'recipe') return [{ name: one.name, value: 'lora' }];
        return [{ name: one.name, value: one.argument === 'learningRate' ? 'auto' : '1' }];
      });
      const { call: made } = readSlash(command, filledIn);
      // A wrong name or type is refused before anything is done: no context is needed.
      expect(() => command.execute(made.args, {} as Parameters<typeof command.execute>[1]), command.name).not.toThrow();
    }
  });
});

describe('the small things', () => {
  it('the address of the API is understood with and without a version', () => {
    expect(apiAddress(undefined)).toBe('https://discord.com/api');
    for (const given of [
      'http://127.0.0.1:9',
      'http://127.0.0.1:9/',
      'http://127.0.0.1:9/api',
      'http://127.0.0.1:9/api/v10/',
    ]) {
      expect(apiAddress(given)).toBe('http://127.0.0.1:9/api');
    }
    expect(() => apiAddress('localhost')).toThrow('that is no address');
  });

  it('what is missing is named as in Discord’s settings', () => {
    expect(missing(0n, ['Attach Files'])).toEqual(['Attach Files']);
    expect(missing(8n, ['Attach Files'])).toEqual([]);
    expect(needs(['Attach Files'], 'runs')).toBe('I need *Attach Files* in #runs');
    expect(new URL(inviteLink('42')).searchParams.get('scope')).toBe('bot applications.commands');
  });

  it('no two ids of a message are the same, and all fit', () => {
    const ids = createCustomIds();
    const long = { command: 'x', args: { text: 'y'.repeat(300) } };
    const made = [
      ids.call(long),
      ids.call(long),
      ids.call({ command: 'x', args: {} }),
      ids.call({ command: 'x', args: {} }),
    ];
    expect(new Set(made).size).toBe(4);
    for (const one of made) expect(one.length).toBeLessThanOrEqual(100);
    expect(ids.keepsakes.length).toBe(1);
  });
});
