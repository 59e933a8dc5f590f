// What was said before in this thread, as turns the tutor understands: read from the kept conversation, so a restart forgets nothing.
import { z } from 'zod';
import type { Conversations, StoredMessage, Turn } from '../../engine/index.ts';
import type { Person, Place } from './message.ts';

/** Messages looked at; a follow-up seldom reaches further back. */
const reach = 12;

const said = z.object({ text: z.string() });
const replied = z.object({ blocks: z.array(z.object({ kind: z.string(), markdown: z.string().optional() })) });

/**
 * The turns before the message now being answered, oldest first.
 * @param current the words being answered, left out when the front has kept them already.
 */
export async function recallTurns(
  conversations: Conversations,
  place: Place,
  person: Person,
  current: string,
): Promise<readonly Turn[]> {
  const turns = (await conversations.history(place, person.id, reach)).flatMap(toTurn);
  const last = turns.at(-1);
  return last?.role === 'user' && last.text === current ? turns.slice(0, -1) : turns;
}

function toTurn(message: StoredMessage): readonly Turn[] {
  if (message.personId !== undefined) {
    const words = said.safeParse(message.content);
    return words.success && words.data.text !== '' ? [{ role: 'user', text: words.data.text }] : [];
  }
  const reply = replied.safeParse(message.content);
  if (!reply.success) return [];
  const text = reply.data.blocks.flatMap((block) => block.markdown ?? []).join('\n\n');
  return text === '' ? [] : [{ role: 'assistant', text }];
}
