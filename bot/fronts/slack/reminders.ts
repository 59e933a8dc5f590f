// Once a day, from the hour they chose, people who want it are told what is due for review.
import type { Engine } from '../../../engine/index.ts';
import type { Person, Place } from '../../chat/message.ts';
import { button, buttons, reply, text } from '../../chat/reply.ts';
import type { Front } from '../front.ts';

/** Person → the hour, in UTC. */
export const reminderKind = 'slack.reminder';

export interface RemindersOptions {
  readonly engine: Pick<Engine, 'conversations' | 'kept' | 'reviews'>;
  readonly directMessage: (workspaceId: string, personId: string) => Promise<string>;
  readonly deliver: Front['deliver'];
  readonly now: () => Date;
  readonly after: (delayMs: number, callback: () => void) => () => void;
  readonly log: { error(fields: object, message: string): void };
}

const betweenLooksMs = 15 * 60_000;

/** Begins to look every few minutes. @returns what ends it. */
export function startReminders(options: RemindersOptions): () => void {
  const { engine, directMessage, deliver, now, after, log } = options;
  let cancel = () => {};
  let ended = false;

  async function look() {
    for (const workspaceId of await engine.conversations.workspaces()) {
      const wishes = await engine.kept.list(workspaceId, reminderKind);
      const due = new Map(
        wishes.length === 0
          ? []
          : (await engine.reviews.duePeople(workspaceId)).map(({ personId, due }) => [personId, due]),
      );
      for (const { name: personId, value: hour } of wishes) {
        const count = due.get(personId);
        if (count === undefined || typeof hour !== 'number' || now().getUTCHours() < hour) continue;
        await remind(workspaceId, { id: personId, name: personId }, count).catch((error: unknown) =>
          log.error({ err: error, workspaceId }, 'Slack: a reminder could not be sent'),
        );
      }
    }
  }

  async function remind(workspaceId: string, person: Person, due: number) {
    const day = now().toISOString().slice(0, 10);
    // Whichever replica comes first tells it; the others see that it is told.
    if (!(await engine.conversations.claim(workspaceId, `slack:reminder:${person.id}:${day}`))) return;
    const conversationId = await directMessage(workspaceId, person.id);
    const place: Place = { front: 'slack', workspaceId, conversationId };
    const questions = due === 1 ? '1 question is' : `${due} questions are`;
    const told = reply(
      text(`**${questions} due for review.** Answering now is what keeps it in your head.`),
      buttons(button('Review now', { command: 'review', args: {} }, 'primary')),
    );
    await deliver(place, { ...told, slot: `reminder:${day}` }, person);
  }

  function wait() {
    cancel = after(betweenLooksMs, () => {
      look()
        .catch((error: unknown) => log.error({ err: error }, 'Slack: who is to be reminded could not be read'))
        .finally(() => {
          if (!ended) wait();
        });
    });
  }

  wait();
  return () => {
    ended = true;
    cancel();
  };
}
