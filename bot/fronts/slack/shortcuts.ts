// Shortcuts: those of the ⚡ menu, and those in the menu of a message.
import type { App } from '@slack/bolt';
import { UserError } from '../../../engine/index.ts';
import type { Call } from '../../chat/message.ts';
import { apology } from '../../chat/reply.ts';
import type { FormBlock } from './actions.ts';
import { keys } from './arrivals.ts';
import type { Forms } from './forms.ts';
import type { Asked } from './intake.ts';
import { type Listening, personOf } from './listening.ts';
import { messageShortcutSchema, readText, shortcutSchema, workspaceOf } from './payloads.ts';
import { placeIn } from './places.ts';

const askForm: FormBlock = {
  kind: 'form',
  title: 'Ask Finetutor',
  submitLabel: 'Ask',
  call: { command: 'ask', args: {} },
  fields: [
    {
      kind: 'text',
      id: 'question',
      label: 'Your question',
      hint: 'I answer in a direct message.',
      required: true,
      maxLength: 3000,
    },
  ],
};

/** Global shortcuts that need no question first. */
const globalCalls: { readonly [callbackId: string]: Call } = {
  quiz: { command: 'quiz', args: {} },
  review: { command: 'review', args: {} },
  finetune: { command: 'finetune', args: {} },
};

export function listenToShortcuts(app: App, options: Listening, forms: Forms): void {
  const { engine, intake, places, deliver, work, inDirectMessage } = options;

  app.shortcut({ type: 'shortcut' }, async ({ ack, body }) => {
    await ack();
    const shortcut = shortcutSchema.parse(body);
    const workspaceId = workspaceOf(shortcut);
    if (workspaceId === undefined) return;
    const asked: Asked = { workspaceId, person: personOf(shortcut.user), key: keys.trigger(shortcut.trigger_id) };
    const call = globalCalls[shortcut.callback_id];
    if (call === undefined) {
      if (!options.arrivals.isLeft(asked.key)) await forms.open(workspaceId, askForm, '', shortcut.trigger_id);
    } else
      work('a shortcut', async () => intake.takeCall(asked, await inDirectMessage(workspaceId, asked.person.id), call));
  });

  app.shortcut({ type: 'message_action' }, async ({ ack, body, context }) => {
    await ack();
    const shortcut = messageShortcutSchema.parse(body);
    const workspaceId = workspaceOf(shortcut);
    if (workspaceId === undefined) return;
    const { channel, message, callback_id, trigger_id, response_url } = shortcut;
    const asked: Asked = { workspaceId, person: personOf(shortcut.user), key: keys.trigger(trigger_id) };
    work('a message shortcut', async () => {
      await intake.openWorkspace(workspaceId);
      const conversationId = await places.conversationOf(workspaceId, channel.id, message.ts, message.thread_ts);
      const place = placeIn(workspaceId, conversationId);
      if (response_url !== undefined) options.answerAt(place, response_url);
      const words = readText(message.text, context.botUserId);
      if (words === '') {
        const sorry = new UserError('There are no words in this message.', 'Choose one with text, or ask me directly.');
        if (await engine.conversations.claim(workspaceId, asked.key))
          await deliver(place, apology(sorry), asked.person);
        return;
      }
      const call = callback_id === 'quiz_on_this' ? await intake.quizOn(words) : explain(words);
      await intake.takeCall(asked, place, call);
    });
  });

  /** A word or two name a concept; more is something to answer. */
  const explain = (words: string): Call =>
    words.length <= 60 && words.split(/\s+/).length <= 5
      ? { command: 'explain', args: { concept: words } }
      : { command: 'ask', args: { question: words } };
}
