// What a Slack workspace is made of, for the protocol server: people, channels, messages, files, views; and what a person reads.
import type { Fields } from './slack-server-rules.ts';

export interface Person {
  readonly id: string;
  readonly name: string;
}

export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly isIm: boolean;
  readonly members: Set<string>;
}

export interface Message {
  readonly ts: string;
  readonly channel: string;
  /** A person's id, or the bot's. */
  readonly user: string;
  readonly threadTs: string | undefined;
  /** Set: only this person sees it. */
  readonly visibleTo: string | undefined;
  text: string;
  blocks: readonly Fields[];
  metadata: unknown;
  files: readonly UploadedFile[];
  streaming: boolean;
  deleted: boolean;
  edits: number;
}

type Given = Pick<Message, 'ts' | 'channel' | 'user' | 'text'> & Partial<Message>;
export const newMessage = (given: Given): Message => ({
  threadTs: undefined,
  visibleTo: undefined,
  blocks: [],
  metadata: undefined,
  files: [],
  streaming: false,
  deleted: false,
  edits: 0,
  ...given,
});

export interface UploadedFile {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
  content: Buffer | undefined;
  /** Taken in by completeUploadExternal. */
  complete: boolean;
  deleted: boolean;
  readonly altText: string | undefined;
}

export interface View {
  readonly id: string;
  readonly user: string;
  hash: string;
  content: Fields;
  open: boolean;
  /** What the person has filled in so far: block id → action id → state. */
  readonly state: { [blockId: string]: { [actionId: string]: Fields } };
}

export interface World {
  readonly teamId: string;
  readonly enterpriseId: string | undefined;
  readonly botUserId: string;
  readonly botId: string;
  readonly appId: string;
  readonly people: Map<string, Person>;
  readonly channels: Map<string, Channel>;
  readonly messages: Message[];
  readonly files: Map<string, UploadedFile>;
  readonly views: Map<string, View>;
  readonly homes: Map<string, Fields>;
  /** Ids that nothing else has. */
  nextId(prefix: string): string;
  nextTs(): string;
  /** The direct-message channel of this person and the bot. */
  im(userId: string): Channel;
  find(channel: string, ts: string): Message | undefined;
}

export function createWorld({
  teamId = 'T0TEAM',
  enterpriseId,
}: {
  teamId?: string;
  enterpriseId?: string;
} = {}): World {
  let ids = 0;
  let ticks = 0;
  const botUserId = 'U0BOT';
  const channels = new Map<string, Channel>();
  const messages: Message[] = [];
  const nextId = (prefix: string) => `${prefix}${String(++ids).padStart(8, '0')}`;
  return {
    teamId,
    enterpriseId,
    botUserId,
    botId: 'B0BOT',
    appId: 'A0APP',
    people: new Map(),
    channels,
    messages,
    files: new Map(),
    views: new Map(),
    homes: new Map(),
    nextId,
    nextTs: () => `${1_760_000_000 + ++ticks}.${String(ticks % 1_000_000).padStart(6, '0')}`,
    im(userId) {
      const id = `D${userId.slice(1)}`;
      const known = channels.get(id);
      if (known !== undefined) return known;
      const channel = { id, name: 'directmessage', isIm: true, members: new Set([userId, botUserId]) };
      channels.set(id, channel);
      return channel;
    },
    find: (channel, ts) => messages.find((one) => one.channel === channel && one.ts === ts && !one.deleted),
  };
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A string, or none. */
export const words = (value: unknown): string => (typeof value === 'string' ? value : '');

export const fieldsOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);

/** Words of the blocks in reading order, with the alt text of pictures, as Slack would show them. */
export function readBlocks(blocks: readonly Fields[]): string {
  return blocks.map(readBlock).join('\n');
}

function readBlock(block: Fields): string {
  switch (block.type) {
    case 'section':
      return [
        readText(block.text),
        ...fieldsOf(block.fields).map(readText),
        ...(isFields(block.accessory) ? [readElement(block.accessory)] : []),
      ].join('\n');
    case 'header':
      return readText(block.text);
    case 'context':
      return fieldsOf(block.elements)
        .map((one) => (one.type === 'image' ? String(one.alt_text) : readText(one)))
        .join(' ');
    case 'image':
      return `${readText(block.title)} ${String(block.alt_text)}`;
    case 'actions':
      return fieldsOf(block.elements).map(readElement).join(' ');
    case 'input':
      return `${readText(block.label)} ${isFields(block.element) ? readElement(block.element) : ''} ${readText(block.hint)}`;
    case 'markdown':
      return decodeEntities(String(block.text).replace(/(\*\*|__|~~|`)/g, '')).replace(/\\([^\w\s])/g, '$1');
    case 'rich_text':
      return fieldsOf(block.elements).map(readRich).join('\n');
    case 'table':
      return (Array.isArray(block.rows) ? block.rows : [])
        .map((row) =>
          fieldsOf(row)
            .map((cell) => (cell.type === 'raw_text' ? String(cell.text) : readBlock(cell)))
            .join(' '),
        )
        .join('\n');
    case 'plan':
      return [String(block.title), ...fieldsOf(block.tasks).map(readBlock)].join('\n');
    case 'task_card':
      return [String(block.title), ...[block.details, block.output].filter(isFields).map(readBlock)].join('\n');
    default:
      return '';
  }
}

function readRich(element: Fields): string {
  if (element.type === 'rich_text_list') return fieldsOf(element.elements).map(readRich).join('\n');
  return fieldsOf(element.elements)
    .map((leaf) => String(leaf.text ?? leaf.url ?? (leaf.type === 'emoji' ? `:${String(leaf.name)}:` : '')))
    .join('');
}

function readElement(element: Fields): string {
  switch (element.type) {
    case 'button':
      return readText(element.text);
    case 'static_select':
    case 'radio_buttons':
    case 'checkboxes': {
      const groups = fieldsOf(element.option_groups).flatMap((group) => fieldsOf(group.options));
      const options = [...fieldsOf(element.options), ...groups];
      return [
        readText(element.placeholder),
        ...options.map((one) => `${readText(one.text)} ${readText(one.description)}`),
      ].join('\n');
    }
    default:
      return readText(element.placeholder);
  }
}

function readText(value: unknown): string {
  if (!isFields(value)) return '';
  const words = String(value.text ?? '');
  return value.type === 'mrkdwn' ? readMrkdwn(words) : words;
}

/** Slack's own markup, as it is shown: emphasis marks gone, links by their label, entities as characters. */
function readMrkdwn(words: string): string {
  return decodeEntities(
    words
      .replace(/<([^>|]+)\|([^>]+)>/g, '$2')
      .replace(/<(https?:[^>]+)>/g, '$1')
      .replace(/```/g, '')
      .replace(/(?<![\w\u200B])([*_~`])(?=\S)([^\n]*?\S)\1(?![\w\u200B])/g, '$2'),
  );
}

const decodeEntities = (words: string) =>
  words.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
