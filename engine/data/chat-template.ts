// Writes a conversation as the model was taught to read it: its tokenizer's own template, or a plain one.
import { Template } from '@huggingface/jinja';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import type { ChatMessage } from './documents.ts';

/** A stretch of the written conversation; `learnt` where it is the assistant's. */
interface ChatPart {
  readonly text: string;
  readonly learnt: boolean;
}

export interface ChatTemplate {
  /** The whole conversation in order. */
  parts(messages: readonly ChatMessage[]): ChatPart[];
  /** The conversation up to where the assistant is to speak. */
  prompt(messages: readonly ChatMessage[]): string;
}

/** For models that were never taught one: roles in words. */
const plain_template =
  "{% for message in messages %}{% if message.role == 'assistant' %}{{ 'Assistant: ' + message.content + eos_token + '\\n' }}" +
  "{% elif message.role == 'user' %}{{ 'User: ' + message.content + '\\n' }}{% else %}{{ message.content + '\\n\\n' }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";

const token = z.union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)]).nullish();
const configSchema = z.object({
  chat_template: z
    .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
    .nullish()
    .transform((given) => (Array.isArray(given) ? given.find(({ name }) => name === 'default')?.template : given)),
  bos_token: token,
  eos_token: token,
});

/**
 * @param tokenizerConfig the parsed `tokenizer_config.json`.
 * @throws UserError when it holds a template that cannot be understood, or used for training.
 */
export function createChatTemplate(tokenizerConfig: object): ChatTemplate {
  const config = configSchema.parse(tokenizerConfig);
  const template = parseTemplate(config.chat_template ?? plain_template);
  const render = (messages: readonly ChatMessage[], generating: boolean): string => {
    try {
      return template.render({
        messages: messages.map((message) => ({ ...message })),
        add_generation_prompt: generating,
        bos_token: config.bos_token ?? '',
        eos_token: config.eos_token ?? '',
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UserError(
        `The model’s chat template refuses a conversation (${messages.map(({ role }) => role).join(', ')}): ${reason.slice(0, 200)}`,
        'Conversations usually alternate user and assistant, and begin with the user.',
        { cause: error },
      );
    }
  };
  return {
    prompt: (messages) => render(messages, true),
    parts(messages) {
      const whole = render(messages, false);
      const turns = messages.flatMap(({ role }, index) => (role === 'assistant' ? [index] : []));
      const spans = turns.map((turn) => ({
        before: render(messages.slice(0, turn), true),
        after: turn === messages.length - 1 ? whole : render(messages.slice(0, turn + 1), false),
      }));
      // A template that writes earlier turns otherwise once more follow: only the last turn is as it was when answered.
      const steady = spans.filter(({ before, after }) => after.startsWith(before) && whole.startsWith(after));
      const parts: ChatPart[] = [];
      let at = 0;
      for (const { before, after } of steady) {
        parts.push({ text: whole.slice(at, before.length), learnt: false });
        parts.push({ text: whole.slice(before.length, after.length), learnt: true });
        at = after.length;
      }
      if (at < whole.length) parts.push({ text: whole.slice(at), learnt: false });
      return parts.filter(({ text }) => text !== '');
    },
  };
}

function parseTemplate(source: string): Template {
  try {
    return new Template(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `The model’s chat template cannot be understood: ${reason.slice(0, 200)}`,
      'Remove chat_template from its tokenizer_config.json to use plain roles.',
      { cause: error },
    );
  }
}
