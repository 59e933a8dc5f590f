// learn: a group's own material. Documents are added, listed, refreshed, removed; answers cite them beside the guide.
import { z } from 'zod';
import { documentOf, type GroupDocument, UserError } from '../../engine/index.ts';
import { channelOf, whereOf } from '../chat/channel.ts';
import { type CommandContext, defineCommand, optionalText } from '../chat/command.ts';
import { plain } from '../chat/escape.ts';
import { isMaintainer } from '../chat/maintainers.ts';
import type { Block, Field, Json, Reply } from '../chat/message.ts';
import { aside, button, buttons, reply, text } from '../chat/reply.ts';
import { splitWords } from '../chat/words.ts';

const actions = ['add', 'list', 'refresh', 'remove', 'show'] as const;
const endings = ['.md', '.markdown', '.txt', '.html', '.htm', '.pdf', '.ipynb'];
const mostBytes = 20 * 1024 * 1024;

const args = z.strictObject({
  action: z.enum(actions).optional(),
  /** An address to add, or the name of a document. */
  what: z.preprocess((value) => (value === '' ? undefined : value), z.string().trim().max(2000).optional()),
  name: optionalText,
  /** Who sees it: `channel` or `everyone`. */
  seen: z.enum(['channel', 'everyone']).optional(),
  /** How the form was filled in: a file or an address. */
  from: z.enum(['file', 'web']).optional(),
  passage: z.coerce.number().int().min(0).max(1_000_000).optional(),
});
type Args = z.output<typeof args>;

export const learn = defineCommand({
  name: 'learn',
  summary: 'add your group’s own documents; answers cite them beside the guide',
  usage: 'learn [add <address or file> | list | refresh <name> | remove <name>] [--name name] [--everyone | --channel]',
  examples: [
    'learn',
    'learn add https://example.org/handbook',
    'learn list',
    'learn refresh handbook',
    'learn remove handbook',
  ],
  args,
  parse,
  // "learn about overfitting" is a question.
  isMeant: (rest) =>
    rest === '' || /^(?:list|add|(?:refresh|remove|show)\s+\S)/i.test(rest) || /^https?:\/\/\S+$/i.test(rest),
  async *execute(given, context) {
    const action = given.action ?? (isAddition(given, context) ? 'add' : 'list');
    yield* perform[action](given, context);
  },
});

const isAddition = ({ what, from }: Args, { attachments }: CommandContext) =>
  what !== undefined || from !== undefined || attachments.length > 0;

const perform: {
  readonly [action in (typeof actions)[number]]: (given: Args, context: CommandContext) => AsyncIterable<Reply>;
} = {
  async *add(given, context) {
    if (!isAddition(given, context)) {
      yield reply(offerForm(context));
      return;
    }
    const { engine, place, person, attachments } = context;
    const { what, name } = given;
    const sources = attachments.length > 0 ? attachments.map((file) => ({ file })) : [{ url: addressIn(what) }];
    for (const source of sources) {
      const document = await engine.material.add({
        where: whereOf(place),
        shared: channelOf(place) === undefined || given.seen === 'everyone',
        personId: person.id,
        from: 'file' in source ? { path: source.file.path, name: source.file.name } : source,
        name: sources.length === 1 ? name : undefined,
      });
      yield reply(
        text(
          `**Learned ${plain(document.name)}**: ${sizeOf(document)}, seen ${seenBy(document)}. Ask about it in plain words; answers cite it by name${document.pages === undefined ? '' : ' and page'}.`,
        ),
      );
    }
  },

  async *list(_given, { engine, place }) {
    const documents = await engine.material.list(whereOf(place));
    if (documents.length === 0) {
      yield reply(
        text('**Nothing has been added yet.** Give me your handbook, notes or slides, and answers will cite them.'),
        buttons(button('Add a document', { command: 'learn', args: { action: 'add' } }, 'primary')),
      );
      return;
    }
    yield reply(tableOf(documents), buttons(button('Add a document', { command: 'learn', args: { action: 'add' } })));
  },

  async *refresh({ what, name }, { engine, place, attachments }) {
    const [file] = attachments;
    const { document, changed } = await engine.material.refresh(whereOf(place), named(name ?? what), file);
    yield reply(
      text(
        changed
          ? `**${plain(document.name)} is up to date**: ${sizeOf(document)}.`
          : `**${plain(document.name)}** has not changed since ${document.refreshedAt.toISOString().slice(0, 10)}.`,
      ),
    );
  },

  async *remove({ what, name }, { engine, place, person }) {
    const maintainer = await isMaintainer(engine.kept, place, person);
    const may = ({ addedBy }: GroupDocument) => maintainer || addedBy === person.id;
    const document = await engine.material.remove(whereOf(place), named(name ?? what), may);
    yield reply(text(`**${plain(document.name)}** is forgotten.`));
  },

  async *show({ what, passage = 0 }, { engine, place }) {
    const id = named(what);
    const found = await engine.material.passage(whereOf(place), documentOf(id) ?? id, passage);
    const paragraphs = found.text.split(/\n{2,}/).map((paragraph) => plain(paragraph));
    yield aside(text(`**${plain(found.title)}**`), text(paragraphs.join('\n\n')));
  },
};

function parse(rest: string): { readonly [name: string]: Json } {
  const parsed: { [name: string]: Json } = {};
  const words: string[] = [];
  const given = splitWords(rest);
  for (let index = 0; index < given.length; index++) {
    const word = given[index] ?? '';
    if (word === '--everyone' || word === '--channel') parsed.seen = word.slice(2);
    else if (word === '--name') parsed.name = given[++index] ?? null;
    else if (word.startsWith('--')) parsed[word] = null;
    else words.push(word);
  }
  const action = actions.find((candidate) => candidate === words[0]?.toLowerCase());
  const what = words.slice(action === undefined ? 0 : 1);
  if (action !== undefined) parsed.action = action;
  // A passage of it, as the terminal tells it: `learn show <document> <number>`.
  if (action === 'show' && what.length > 1 && /^\d+$/.test(what.at(-1) ?? '')) parsed.passage = Number(what.pop());
  // A name may hold spaces; after a name to refresh, the terminal names the newer file.
  if (what.length > 0) parsed.what = (action === 'refresh' ? what.filter((word) => !isFileName(word)) : what).join(' ');
  if (parsed.what === '') parsed.what = what[0] ?? '';
  return parsed;
}

const isFileName = (word: string) => endings.some((ending) => word.toLowerCase().endsWith(ending));

function addressIn(what: string | undefined): string {
  if (what !== undefined && /^<?https?:\/\/\S+>?$/i.test(what)) return what.replace(/^<|>$/g, '').replace(/\|.*$/, '');
  throw new UserError(
    what === undefined ? 'No file came along.' : `${what.slice(0, 80)} is no web address, and no file came along.`,
    `Attach a file (${endings.join(', ')}) to your message, or give an address: learn add https://…`,
  );
}

function named(name: string | undefined): string {
  if (name !== undefined && name !== '') return name;
  throw new UserError('Which document?', 'Say its name, as in: learn remove handbook. They are in: learn list');
}

const count = (amount: number, what: string) => `${amount.toLocaleString('en')} ${what}${amount === 1 ? '' : 's'}`;

const sizeOf = ({ pages, passages }: GroupDocument) =>
  pages === undefined ? count(passages, 'passage') : `${count(pages, 'page')}, ${count(passages, 'passage')}`;

const seenBy = ({ channelId }: GroupDocument) => (channelId === undefined ? 'by everyone here' : 'in this channel');

function tableOf(documents: readonly GroupDocument[]): Block {
  return {
    kind: 'table',
    caption: 'Your group’s documents',
    columns: [
      { label: 'Name', align: 'left' },
      { label: 'Size', align: 'left' },
      { label: 'Seen', align: 'left' },
      { label: 'From', align: 'left' },
      { label: 'As of', align: 'left' },
    ],
    rows: documents.map((document) => [
      document.name,
      sizeOf(document),
      seenBy(document),
      document.url === undefined ? 'a file' : new URL(document.url).host,
      document.refreshedAt.toISOString().slice(0, 10),
    ]),
  };
}

function offerForm({ place }: CommandContext): Block {
  const fields: readonly Field[] = [
    {
      kind: 'choice',
      id: 'from',
      label: 'From',
      required: true,
      value: 'file',
      options: [
        { value: 'file', label: 'A file', description: 'PDF, Markdown, text, HTML, Jupyter' },
        { value: 'web', label: 'A web address', description: 'a page anybody can open' },
      ],
    },
    {
      kind: 'file',
      id: 'file',
      label: 'File',
      required: true,
      accept: endings,
      maxBytes: mostBytes,
      when: { field: 'from', is: ['file'] },
    },
    {
      kind: 'text',
      id: 'what',
      label: 'Address',
      required: true,
      placeholder: 'https://',
      maxLength: 2000,
      when: { field: 'from', is: ['web'] },
    },
    { kind: 'text', id: 'name', label: 'Name', hint: 'empty: as the file is called', required: false, maxLength: 60 },
    ...(channelOf(place) === undefined
      ? []
      : [
          {
            kind: 'choice',
            id: 'seen',
            label: 'Seen',
            required: true,
            value: 'channel',
            options: [
              { value: 'channel', label: 'In this channel' },
              { value: 'everyone', label: 'By everyone here' },
            ],
          } satisfies Field,
        ]),
  ];
  return {
    kind: 'form',
    title: 'Add a document',
    submitLabel: 'Add',
    call: { command: 'learn', args: { action: 'add' } },
    fields,
  };
}
