// Replies as Block Kit: whatever the words, Slack takes the blocks, every word is there, and nothing notifies anybody.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plain } from '../bot/chat/escape.ts';
import type { Block, Reply } from '../bot/chat/message.ts';
import { button, buttons, reply, text } from '../bot/chat/reply.ts';
import { cut } from '../bot/fronts/slack/limits.ts';
import { readMarkdown, toMrkdwn } from '../bot/fronts/slack/markdown.ts';
import { renderModal } from '../bot/fronts/slack/modal.ts';
import { readText } from '../bot/fronts/slack/payloads.ts';
import { renderReply } from '../bot/fronts/slack/render.ts';
import { checkBlocks, checkView, type Fields, findPings } from './support/slack-server-rules.ts';
import { readBlocks } from './support/slack-server-world.ts';

const options = { fileOf: () => 'F1', sectionUrl: () => undefined, messageKey: '1' };
const asFields = (value: unknown): readonly Fields[] => JSON.parse(JSON.stringify(value));

/** What a person reads, without the characters nobody sees. */
const read = (shown: Reply, plainly = false) =>
  renderReply(shown, { ...options, plain: plainly })
    .pages.map((page) => readBlocks(asFields(page.blocks)))
    .join('\n')
    .replaceAll('\u200B', '');

function checkPages(shown: Reply, plainly: boolean) {
  for (const page of renderReply(shown, { ...options, plain: plainly }).pages) {
    expect(checkBlocks(asFields(page.blocks), 'message')).toEqual([]);
    expect(findPings([page.text, asFields(page.blocks)])).toEqual([]);
    expect(page.text).not.toBe('');
    expect(page.text.length).toBeLessThanOrEqual(4000);
  }
}

const nasty = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 120 }),
  fc.constantFrom(
    '<!channel>',
    '<@U123|x>',
    '@everyone',
    '```',
    '| a | b |',
    '<https://evil|x>',
    '&lt;',
    '*_~`',
    '\u202E',
    '🎈'.repeat(50),
  ),
);
const words = fc.array(nasty, { maxLength: 6 }).map((parts) => parts.join(' '));
const label = words.filter((one) => one.trim() !== '');
const call = fc.record({ command: fc.constant('ask'), args: fc.record({ question: words }) });
const block: fc.Arbitrary<Block> = fc.oneof(
  fc.record({
    kind: fc.constant('text' as const),
    markdown: fc.oneof(
      words,
      words.map((one) => plain(one)),
    ),
  }),
  fc.record({
    kind: fc.constant('buttons' as const),
    buttons: fc.array(
      fc.record({
        label: words,
        style: fc.constantFrom('primary', 'secondary', 'danger'),
        call,
        disabled: fc.boolean(),
      }),
      {
        maxLength: 40,
      },
    ),
  }),
  fc.record({
    kind: fc.constant('select' as const),
    label,
    options: fc.uniqueArray(fc.record({ label: words, value: words, description: words }), {
      minLength: 1,
      maxLength: 130,
      selector: ({ value }) => value,
    }),
    call,
    argument: fc.constant('question'),
  }),
  fc.record({
    kind: fc.constant('table' as const),
    caption: words,
    columns: fc.constant([
      { label: 'a', align: 'left' as const },
      { label: '', align: 'right' as const },
    ]),
    rows: fc.array(fc.tuple(words, words), { maxLength: 130 }),
  }),
  fc.record({
    kind: fc.constant('progress' as const),
    label: words,
    fraction: fc.double({ noNaN: true }),
    detail: words,
    steps: fc.array(
      fc.record({ label: words, state: fc.constantFrom('waiting' as const, 'running', 'done', 'failed') }),
      { maxLength: 4 },
    ),
  }),
  fc.record({ kind: fc.constant('picture' as const), pictureId: words, width: fc.nat(), height: fc.nat(), alt: words }),
  fc.record({ kind: fc.constant('file' as const), path: words, name: label, bytes: fc.nat() }),
  fc.record({
    kind: fc.constant('sources' as const),
    sources: fc.array(fc.record({ chapterId: words, sectionId: words, title: label, quote: words }), { maxLength: 14 }),
  }),
);

describe('blocks', () => {
  it('are taken by Slack whatever the words are, in the newer blocks and in the oldest, and notify nobody', () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 6 }), fc.boolean(), (blocks, plainly) => {
        checkPages(reply(...blocks), plainly);
      }),
      { numRuns: 150 },
    );
  }, 30_000);

  it("show a person's words as they were written", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w <>@!#*_~`&|()[\]{}.\\+:/-]{1,80}$/), (written) => {
        const line = written.replace(/\s+/g, ' ').trim();
        fc.pre(line !== '');
        expect(read(reply(text(`said: ${plain(line)}`)))).toBe(`said: ${line}`);
      }),
    );
  });

  it('hold a text longer than a message, whole and in order', () => {
    const long = Array.from({ length: 400 }, (_, n) => `Paragraph ${n}: ${'so it goes on and on '.repeat(12)}`).join(
      '\n\n',
    );
    const shown = reply(text(long), buttons(button('Go on', { command: 'help', args: {} })));
    checkPages(shown, false);
    expect(renderReply(shown, options).pages.length).toBeGreaterThan(5);
    const numbers = [...read(shown).matchAll(/Paragraph (\d+):/g)].map((found) => Number(found[1]));
    expect(numbers).toEqual(Array.from({ length: 400 }, (_, n) => n));
  });

  it('draw the first table as a table and the others with letters', () => {
    const table = (caption: string): Block => ({
      kind: 'table',
      caption,
      columns: [
        { label: 'class', align: 'left' },
        { label: 'F1', align: 'right' },
      ],
      rows: [['good', '0.9']],
    });
    const [page] = renderReply(reply(table('one'), table('two')), options).pages;
    expect(page?.blocks.map(({ type }) => type)).toEqual(['rich_text', 'table', 'rich_text', 'rich_text']);
    expect(read(reply(table('one'), table('two')))).toContain('good   0.9');
    checkPages(reply(table('one'), table('two')), false);
  });

  it('show markdown in its own form', () => {
    const markdown =
      '## Title\n\nSome **bold *and slanted*** `code`.\n\nAgain.\n\n- one\n  1. under\n- two\n\n> quoted\n\n```py\nx = 1\n```\n\n[here](https://example.org) and [not](javascript:alert(1))';
    expect(readMarkdown(markdown)).toMatchInlineSnapshot(`
      [
        {
          "kind": "heading",
          "text": "Title",
        },
        {
          "elements": [
            {
              "elements": [
                {
                  "text": "Some ",
                  "type": "text",
                },
                {
                  "style": {
                    "bold": true,
                  },
                  "text": "bold ",
                  "type": "text",
                },
                {
                  "style": {
                    "bold": true,
                    "italic": true,
                  },
                  "text": "and slanted",
                  "type": "text",
                },
                {
                  "text": " ",
                  "type": "text",
                },
                {
                  "style": {
                    "code": true,
                  },
                  "text": "code",
                  "type": "text",
                },
                {
                  "text": ".",
                  "type": "text",
                },
                {
                  "text": "

      ",
                  "type": "text",
                },
                {
                  "text": "Again.",
                  "type": "text",
                },
              ],
              "type": "rich_text_section",
            },
            {
              "elements": [
                {
                  "elements": [
                    {
                      "text": "one",
                      "type": "text",
                    },
                  ],
                  "type": "rich_text_section",
                },
              ],
              "indent": 0,
              "style": "bullet",
              "type": "rich_text_list",
            },
            {
              "elements": [
                {
                  "elements": [
                    {
                      "text": "under",
                      "type": "text",
                    },
                  ],
                  "type": "rich_text_section",
                },
              ],
              "indent": 1,
              "style": "ordered",
              "type": "rich_text_list",
            },
            {
              "elements": [
                {
                  "elements": [
                    {
                      "text": "two",
                      "type": "text",
                    },
                  ],
                  "type": "rich_text_section",
                },
              ],
              "indent": 0,
              "style": "bullet",
              "type": "rich_text_list",
            },
            {
              "elements": [
                {
                  "text": "quoted",
                  "type": "text",
                },
              ],
              "type": "rich_text_quote",
            },
            {
              "elements": [
                {
                  "text": "x = 1",
                  "type": "text",
                },
              ],
              "type": "rich_text_preformatted",
            },
            {
              "elements": [
                {
                  "text": "here",
                  "type": "link",
                  "url": "https://example.org",
                },
                {
                  "text": " and ",
                  "type": "text",
                },
                {
                  "text": "not",
                  "type": "text",
                },
              ],
              "type": "rich_text_section",
            },
          ],
          "kind": "rich",
        },
      ]
    `);
    expect(toMrkdwn(markdown)).toMatchInlineSnapshot(`
      "*Title*

      Some *bold _and slanted_* \`code\`.

      Again.

      • one
          1. under
      • two

      > quoted

      \`\`\`
      x = 1
      \`\`\`

      <https://example.org/|here> and not"
    `);
  });
});

describe('a modal', () => {
  it('is taken by Slack whatever the words of its form are', () => {
    const field = fc.oneof(
      fc.record({
        kind: fc.constant('text' as const),
        id: fc.uuid(),
        label,
        required: fc.boolean(),
        value: words,
        hint: label,
        maxLength: fc.integer({ min: 1, max: 9000 }),
      }),
      fc.record({
        kind: fc.constant('number' as const),
        id: fc.uuid(),
        label,
        required: fc.boolean(),
        value: fc.constantFrom(0.0001, 3, 1e-7),
        min: fc.constant(0),
        max: fc.constant(1e6),
        integer: fc.boolean(),
      }),
      fc.record({
        kind: fc.constant('choice' as const),
        id: fc.uuid(),
        label,
        required: fc.boolean(),
        value: words,
        options: fc.uniqueArray(fc.record({ label: words, value: words }), {
          minLength: 1,
          maxLength: 120,
          selector: ({ value }) => value,
        }),
      }),
      fc.record({
        kind: fc.constant('file' as const),
        id: fc.uuid(),
        label,
        required: fc.boolean(),
        accept: fc.constant(['.csv']),
        maxBytes: fc.nat(),
      }),
    );
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 8 }), label, (fields, title) => {
        const form = { kind: 'form' as const, title, submitLabel: title, call: { command: 'x', args: {} }, fields };
        const view = renderModal(form, { form: 'f', workspaceId: 'T', conversationId: 'C' });
        expect(checkView(JSON.parse(JSON.stringify(view)))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  }, 20_000);
});

describe("Slack's own text", () => {
  it('is read as people wrote it', () => {
    expect(readText('<@U0BOT> why &lt;b&gt; &amp;amp; <https://a.example/x|a.example/x>?', 'U0BOT')).toBe(
      'why <b> &amp; https://a.example/x?',
    );
    expect(readText('<@U0BOT|finetutor>, see <#C1|runs> and <!here>, says <@U2|ben>', 'U0BOT')).toBe(
      ', see #runs and @here, says @ben',
    );
    expect(readText('look at <https://a.example|this page>', undefined)).toBe('look at this page (https://a.example)');
  });

  it('is cut between words, where there are any near', () => {
    expect(cut('Short sentences about how people feel, in two moods', 42)).toBe(
      'Short sentences about how people feel, in…',
    );
    expect(cut('Short sentences about how people feel, in two moods', 41)).toBe(
      'Short sentences about how people feel,…',
    );
    expect(cut('anextraordinarilylongnameofafile.csv', 10)).toBe('anextraor…');
  });

  it('is cut between characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 3 }), fc.integer({ min: 2, max: 50 }), (written, limit) => {
        const short = cut(written, limit);
        expect(short.length).toBeLessThanOrEqual(limit);
        expect(/\p{Surrogate}/u.test(short)).toBe(false);
        expect(short === written || written.startsWith(short.slice(0, -1))).toBe(true);
      }),
    );
  });
});

it('what no address leads to is read by a button: a document of the group, and the guide without a public page', () => {
  const sources = [
    { chapterId: 'document:id-1', sectionId: '3', title: 'Handbook, page 2', quote: '', document: true as const },
    { chapterId: 'peft', sectionId: 'lora', title: 'PEFT › LoRA', quote: '' },
  ];
  const drawn = (sectionUrl: () => string | undefined) =>
    JSON.stringify(
      renderReply({ audience: 'everyone', blocks: [{ kind: 'sources', sources }] }, { ...options, sectionUrl }),
    );
  expect(drawn(() => undefined)).toMatch(/Read 1[\s\S]*Read 2/);
  const withPage = drawn(() => 'https://tutor.example.org/guide/peft#lora');
  expect(withPage).toContain('Read 1');
  expect(withPage).not.toContain('Read 2');
});
