// A conversation without a front: says things, collects the replies, and tells them as text.
import { createConversation } from '../../bot/chat/conversation.ts';
import { createLiveCards } from '../../bot/chat/live.ts';
import type { Attachment, Block, Call, Incoming, Person, Place, Reply } from '../../bot/chat/message.ts';
import { commands } from '../../bot/commands/index.ts';
import { createFakeEngine, noBattles } from './fake-engine.ts';

const ada: Person = { id: 'ada', name: 'Ada' };

export function createTalk({ place = { front: 'web', workspaceId: 'local', conversationId: 'c' } as Place } = {}) {
  const engine = createFakeEngine();
  const delivered: { readonly reply: Reply; readonly place: Place; readonly asker: Person }[] = [];
  const logged: unknown[] = [];
  let keys = 0;
  const deliver = async (where: Place, reply: Reply, asker: Person) => {
    delivered.push({ reply, place: where, asker });
    await engine.conversations.say(where, {
      content: reply,
      ...(reply.slot === undefined ? {} : { slot: reply.slot }),
    });
  };
  const log = { error: (details: unknown) => logged.push(details), debug: () => {} };
  const live = createLiveCards({
    runs: engine.runs,
    deliver,
    shownAt: async () => undefined,
    log,
    now: () => new Date(),
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
  });
  const handle = createConversation({
    engine,
    commands,
    deliver,
    log,
    now: () => new Date(),
    newErrorId: () => 'id-0042',
    pageUrl: () => undefined,
    showRun: live.show,
    battles: noBattles,
  });

  async function send(incoming: Partial<Incoming>, person = ada): Promise<readonly Reply[]> {
    const before = delivered.length;
    await handle({ key: `key-${++keys}`, place, person, receivedAt: new Date(), ...incoming } as Incoming);
    return delivered.slice(before).map(({ reply }) => reply);
  }

  return {
    engine,
    delivered,
    logged,
    live,
    handle,
    send,
    say: (text: string, attachments: readonly Attachment[] = []) => send({ kind: 'message', text, attachments }),
    press: (call: Call, person = ada) => send({ kind: 'action', call }, person),
    fill: (call: Call, values: { readonly [id: string]: string | Attachment }) => send({ kind: 'form', call, values }),
  };
}

/** All words of the replies, markdown as it is written. */
export function wordsOf(replies: readonly Reply[]): string {
  return replies.flatMap((reply) => reply.blocks.map(wordsOfBlock)).join('\n');
}

function wordsOfBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return block.markdown;
    case 'buttons':
      return block.buttons.map((button) => `[${button.label}]`).join(' ');
    case 'select':
      return [block.label, ...block.options.map((option) => `<${option.label}>`)].join(' ');
    case 'form':
      return [block.title, ...block.fields.map((field) => field.label), block.submitLabel].join(' ');
    case 'table':
      return [block.caption, ...block.rows.map((row) => row.join(' | '))].join('\n');
    case 'picture':
      return block.alt;
    case 'progress':
      return `${block.label} ${block.detail}`;
    case 'sources':
      return block.sources.map((source) => source.title).join('\n');
    case 'file':
      return block.name;
  }
}

/** The call of the button with this label. */
export function buttonOf(replies: readonly Reply[], label: string): Call {
  const found = replies
    .flatMap((reply) => reply.blocks)
    .flatMap((block) => (block.kind === 'buttons' ? block.buttons : []))
    .find((button) => button.label === label);
  if (found === undefined) throw new Error(`no button ${label} in: ${wordsOf(replies)}`);
  return found.call;
}
