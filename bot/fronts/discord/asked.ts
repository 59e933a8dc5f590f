// What a slash command or the menu of a message asks for: the call, the files given with it, and what is said to the conversation.
import {
  type APIApplicationCommandInteraction,
  type APIAttachment,
  type APIMessage,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ComponentType,
} from 'discord.js';
import { z } from 'zod';
import type { Engine } from '../../../engine/index.ts';
import type { Command } from '../../chat/command.ts';
import type { Call } from '../../chat/message.ts';
import type { Say } from './reception.ts';
import { contextMenu, readSlash } from './slash.ts';
import type { RemoteFile, Said } from './work.ts';

export interface Asked {
  readonly call: Call;
  readonly files: ReadonlyMap<string, RemoteFile>;
  /** A forum in which a post is wanted for it. */
  readonly forumId?: string | undefined;
  readonly say: Say;
}

export interface AskedOptions {
  readonly engine: Pick<Engine, 'quizzes' | 'tutor'>;
  readonly commands: readonly Command[];
}

/** @returns undefined for a command that is not one of ours (any more). */
export type ReadAsked = (interaction: APIApplicationCommandInteraction) => Asked | undefined;

const longestConcept = 120;
const longestMenuText = 2000;

export function createReadAsked({ engine, commands }: AskedOptions): ReadAsked {
  function readMenu(name: string, content: string): Asked | undefined {
    const files = new Map<string, RemoteFile>();
    if (name === contextMenu.explain) {
      const concept = content.trim();
      const call: Call = { command: 'explain', args: { concept } };
      const isConcept = concept.length <= longestConcept && !concept.includes('\n');
      return { call, files, say: () => (isConcept ? { kind: 'action', call } : saidAloud(concept)) };
    }
    if (name !== contextMenu.quiz) return undefined;
    return {
      call: { command: 'quiz', args: {} },
      files,
      async say() {
        const chapter = await chapterOf(content);
        return { kind: 'action', call: { command: 'quiz', args: chapter === undefined ? {} : { chapter } } };
      },
    };
  }

  /** The chapter a message is about, if it has a quiz. */
  async function chapterOf(content: string): Promise<string | undefined> {
    if (content.trim() === '') return undefined;
    const { citations, nearest } = await engine.tutor.ask(content.slice(0, longestMenuText), []);
    const about = [...citations, ...nearest].map(({ chapterId }) => chapterId);
    return about.find((id) => engine.quizzes.chapters.some(({ chapterId }) => chapterId === id));
  }

  return ({ data }) => {
    if (data.type === ApplicationCommandType.Message) {
      const message = data.resolved.messages[data.target_id];
      return readMenu(data.name, message === undefined ? '' : wordsOf(message));
    }
    if (data.type !== ApplicationCommandType.ChatInput) return undefined;
    const found = commands.find(({ name }) => name === data.name);
    if (found === undefined) return undefined;
    const filledIn = (data.options ?? []).flatMap((option) =>
      option.type === ApplicationCommandOptionType.Subcommand ||
      option.type === ApplicationCommandOptionType.SubcommandGroup
        ? []
        : [{ name: option.name, value: option.value }],
    );
    const { call, files, forumId } = readSlash(found, filledIn);
    // A question is said aloud: it is what a follow-up refers to.
    if (call.command === 'ask')
      return { call, files: new Map(), say: () => saidAloud(String(call.args.question ?? '')) };
    const remote = new Map(
      [...files].flatMap(([argument, id]) => {
        const attachment = data.resolved?.attachments?.[id];
        return attachment === undefined ? [] : [[argument, toRemote(attachment)] as const];
      }),
    );
    return {
      call,
      forumId,
      files: remote,
      say: (fetched) =>
        fetched.size === 0 ? { kind: 'action', call } : { kind: 'form', call, values: Object.fromEntries(fetched) },
    };
  };
}

/** Also of a message that is made of components, as ours are. */
function wordsOf({ content, components }: Pick<APIMessage, 'content' | 'components'>): string {
  if (content !== '') return content;
  const inside = (one: unknown): readonly string[] => {
    const { type, content: words, components: parts = [] } = componentSchema.catch({}).parse(one);
    return [...(type === ComponentType.TextDisplay && words !== undefined ? [words] : []), ...parts.flatMap(inside)];
  };
  return (components ?? []).flatMap(inside).join('\n');
}

const componentSchema = z.object({
  type: z.number().optional(),
  content: z.string().optional(),
  components: z.array(z.unknown()).optional(),
});

const saidAloud = (question: string): Said => ({ kind: 'message', text: `/ask ${question}`, attachments: [] });

export const toRemote = ({ url, filename, size }: APIAttachment): RemoteFile => ({ url, name: filename, bytes: size });
