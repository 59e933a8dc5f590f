// Threads of their own for quizzes, battles and runs: at the answer of a command, at a message posted for it, or as a forum's post.
import { ComponentType } from 'discord.js';
import type { Engine } from '../../../engine/index.ts';
import { plain } from '../../chat/escape.ts';
import type { Call, Person } from '../../chat/message.ts';
import { reply, text } from '../../chat/reply.ts';
import { createThread, type Exchange, isFresh, type Thread } from './exchange.ts';
import { openForumPost } from './forum.ts';
import type { Started } from './reception.ts';
import { renderReply } from './render.ts';
import type { Calls, InteractionToken } from './rest.ts';

export interface ThreadsOptions {
  readonly calls: Calls;
  readonly engine: Pick<Engine, 'quizzes' | 'datasets'>;
  /** The bot's permissions in a channel, as far as they are known. */
  readonly bitsIn: (channelId: string) => bigint | undefined;
  readonly now: () => Date;
  readonly log: { warn(fields: object, message: string): void };
}

export interface Threads {
  /** @returns undefined for what is answered where it was asked. @param isForm it was filled in, so it begins now. */
  name(call: Call, isForm: boolean, fileName?: string): string | undefined;
  /** One that hangs on the answer of a command. @param messageId of that answer. */
  atAnswer(exchange: Exchange, token: InteractionToken, messageId: string, name: string): Thread;
  /** A used component has no answer of its own to hang a thread on: one is posted. */
  atNewMessage(exchange: Exchange, call: Call | undefined, isForm: boolean, fileName?: string): Promise<Started>;
  /** Opens a post and leaves a link to it where it was asked for. @throws UserError with what is lacking. */
  inForum(exchange: Exchange, call: Call, forumId: string): Promise<Thread>;
}

export function createThreads({ calls, engine, bitsIn, now, log }: ThreadsOptions): Threads {
  const isOpen = (exchange: Exchange) => isFresh(exchange, now().getTime());

  function name({ command, args }: Call, isForm: boolean, fileName?: string): string | undefined {
    if (command === 'quiz' && typeof args.chapter === 'string' && args.session === undefined) {
      const chapter = engine.quizzes.chapters.find(({ chapterId }) => chapterId === args.chapter);
      return `Quiz: ${chapter?.title ?? args.chapter}`;
    }
    if (command === 'battle')
      return isForm || args.chapters !== undefined || args.length !== undefined ? 'Quiz battle' : undefined;
    if (command !== 'finetune' || !isForm) return undefined;
    const sample = engine.datasets.samples.find(({ id }) => id === args.data);
    return `Fine-tuning: ${fileName ?? sample?.title ?? 'own data'}`;
  }

  function atAnswer(exchange: Exchange, token: InteractionToken, messageId: string, title: string): Thread {
    return createThread({
      calls,
      parentId: exchange.origin.channelId,
      messageId,
      name: title,
      before: async () => {
        if (!exchange.thinking) return;
        exchange.thinking = false;
        await calls.editAnswer(token, '@original', starter(title, exchange.origin.person));
      },
      onRefused: (error) => log.warn({ err: error }, 'Discord: no thread could be opened; going on in the channel'),
    });
  }

  return {
    name,
    atAnswer,

    async atNewMessage(exchange, call, isForm, fileName) {
      const title = call === undefined || !exchange.origin.threads ? undefined : name(call, isForm, fileName);
      const { token } = exchange;
      if (title === undefined || token === undefined || !isOpen(exchange)) return exchange;
      const { id } = await calls.followUp(token, starter(title, exchange.origin.person));
      return { ...exchange, thread: atAnswer(exchange, token, id, title), starterId: id };
    },

    async inForum(exchange, call, forumId) {
      const { person } = exchange.origin;
      const title = name(call, true) ?? `${call.command}: ${person.name}`;
      const thread = await openForumPost({
        calls,
        forumId,
        name: title,
        about: call.command,
        starter: starter(title, person),
        bits: bitsIn(forumId),
      });
      if (exchange.token !== undefined && exchange.thinking && isOpen(exchange)) {
        exchange.thinking = false;
        const { pages } = renderReply(reply(text('It goes on in its own post.')), nowhere);
        const link = { type: ComponentType.TextDisplay as const, content: `<#${thread.id}>` };
        const components = [...(pages[0]?.components ?? []), link];
        await calls.editAnswer(exchange.token, '@original', { components, files: [] });
      }
      return thread;
    },
  };
}

const nowhere = { sectionUrl: () => undefined, fileBytes: 0 };

/** The words a thread hangs on. */
function starter(title: string, person: Person) {
  const { pages } = renderReply(reply(text(`**${plain(title)}** · ${plain(person.name, 60)}`)), nowhere);
  return { components: pages[0]?.components ?? [], files: [] };
}
