// Between the page and the conversation: keeps what is said, hands submissions on, sends replies to whoever is looking.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Conversations, StoredMessage } from '../../../engine/index.ts';
import type { Attachment, Incoming, Person, Place, Reply } from '../../chat/message.ts';
import type { Front, Handle } from '../front.ts';
import type { PageDrawings } from './drawings.ts';
import type { Live } from './live.ts';
import { formulasIn, renderMessage, renderUnreadable, type Said, saidSlot } from './messages.ts';
import type { RenderContext } from './render.ts';
import { conversationOf } from './session.ts';
import type { Uploads } from './uploads.ts';
import type { MessageUpdate, Refusal, Submission } from './wire.ts';

export const workspaceId = 'local';
const historyLimit = 200;
/** How many submissions are remembered, to answer a repeated one without its upload. */
const rememberedKeys = 2000;

export interface Exchange {
  open(handle: Handle): Promise<void>;
  /** Takes a submission in and begins to handle it. @returns a refusal when it cannot. */
  submit(personId: string, submission: Submission): Promise<Refusal | undefined>;
  deliver: Front['deliver'];
  /** What this person may see, oldest first, from `after` (milliseconds since 1970) on. */
  updates(personId: string, chat: string, after: number): Promise<readonly MessageUpdate[]>;
  /** Keys of this person's submissions in the chat that wait for their first reply. */
  working(personId: string, chat: string): readonly string[];
  /** Resolves when nothing taken in is still being handled. */
  idle(): Promise<void>;
}

interface Submitted {
  readonly key: string;
  readonly personId: string;
  readonly conversationId: string;
}

export function createExchange(parts: {
  conversations: Conversations;
  live: Live;
  uploads: Uploads;
  fileHref: RenderContext['fileHref'];
  drawings: PageDrawings;
  log: { error(fields: object, message: string): void };
  now: () => Date;
}): Exchange {
  const { conversations, live, uploads, fileHref, drawings, log, now } = parts;
  const placeOf = (conversationId: string): Place => ({ front: 'web', workspaceId, conversationId });
  const taken = new Set<string>();
  const waiting = new Map<string, Submitted>();
  const handling = new Set<Promise<void>>();
  const tails = new Map<string, Promise<unknown>>();
  /** Which submission the code that is running now answers. */
  const answering = new AsyncLocalStorage<Submitted>();
  let handle: Handle | undefined;

  /** One at a time for each conversation, so that what is shown has the order in which it was said. */
  function inOrder<T>(conversationId: string, work: () => Promise<T>): Promise<T> {
    const done = (tails.get(conversationId) ?? Promise.resolve()).then(work, work);
    tails.set(conversationId, done);
    const forget = () => {
      if (tails.get(conversationId) === done) tails.delete(conversationId);
    };
    done.then(forget, forget);
    return done;
  }

  function show(conversationId: string, message: StoredMessage, answers?: string): void {
    live.publish(conversationId, message.visibleTo, 'message', {
      ...toUpdate(message),
      ...(answers === undefined ? {} : { answers }),
    });
  }

  const toUpdate = (message: StoredMessage): MessageUpdate => ({
    id: message.id,
    updatedAt: message.updatedAt.getTime(),
    html: render(message),
  });

  function render(message: StoredMessage): string {
    try {
      return renderMessage(message, { fileHref, drawings });
    } catch (error) {
      log.error({ err: error, messageId: message.id }, 'a kept message could not be rendered');
      return renderUnreadable(message);
    }
  }

  /** A formula that can't be drawn is shown by its picture instead. */
  async function prepare(messages: readonly StoredMessage[]): Promise<void> {
    try {
      await drawings.prepare(messages.flatMap(formulasIn));
    } catch (error) {
      log.error({ err: error }, 'a formula could not be drawn');
    }
  }

  function settle(submitted: Submitted): void {
    const id = idOf(submitted);
    if (waiting.get(id) !== submitted) return;
    waiting.delete(id);
    live.publish(submitted.conversationId, submitted.personId, 'settled', { key: submitted.key });
  }

  async function work(submitted: Submitted, incoming: Incoming, attachments: readonly Attachment[]): Promise<void> {
    try {
      if (handle === undefined) throw new Error('the web front has not been started');
      await answering.run(submitted, handle, incoming);
    } catch (error) {
      log.error({ err: error, key: incoming.key }, 'a handler threw, though it promises not to');
    } finally {
      settle(submitted);
      await Promise.all(attachments.map(uploads.remove));
    }
  }

  return {
    async open(newHandle) {
      handle = newHandle;
      await conversations.openWorkspace(workspaceId, 'This computer');
    },

    async submit(personId, submission) {
      const conversationId = conversationOf(personId, submission.chat);
      const submitted: Submitted = { key: submission.key, personId, conversationId };
      if (taken.has(idOf(submitted))) return undefined;
      const files = new Map<string, Attachment>();
      for (const [field, id] of Object.entries(submission.uploads)) {
        const file = uploads.take(personId, id);
        if (file === undefined) {
          await Promise.all([...files.values()].map(uploads.remove));
          return { message: 'The uploaded file is no longer here.', hint: 'Attach it again and send once more.' };
        }
        files.set(field, file);
      }
      taken.add(idOf(submitted));
      const [oldest] = taken;
      if (taken.size > rememberedKeys && oldest !== undefined) taken.delete(oldest);

      const attachments = [...files.values()];
      const incoming = toIncoming(submission, files, {
        key: `web:${idOf(submitted)}`,
        place: placeOf(conversationId),
        person: { id: personId, name: 'You' },
        receivedAt: now(),
      });
      try {
        if (incoming.kind === 'message') {
          const content: Said = {
            text: incoming.text,
            attachments: attachments.map(({ name, bytes }) => ({ name, bytes })),
          };
          const slot = saidSlot(submission.key);
          await inOrder(conversationId, async () =>
            show(conversationId, await conversations.say(placeOf(conversationId), { personId, slot, content })),
          );
        }
      } catch (error) {
        taken.delete(idOf(submitted));
        await Promise.all(attachments.map(uploads.remove));
        throw error;
      }
      waiting.set(idOf(submitted), submitted);
      const handled = work(submitted, incoming, attachments).finally(() => handling.delete(handled));
      handling.add(handled);
      return undefined;
    },

    async deliver(place, reply, asker) {
      const submitted = answering.getStore();
      await inOrder(place.conversationId, async () => {
        const message = await conversations.say(place, toSay(reply, asker));
        await prepare([message]);
        show(place.conversationId, message, submitted?.key);
      });
      if (submitted !== undefined) settle(submitted);
    },

    async updates(personId, chat, after) {
      const place = placeOf(conversationOf(personId, chat));
      const messages = await conversations.history(place, personId, historyLimit);
      const shown = messages.filter(({ updatedAt }) => updatedAt.getTime() >= after);
      await prepare(shown);
      return shown.map(toUpdate);
    },

    working(personId, chat) {
      const conversationId = conversationOf(personId, chat);
      return [...waiting.values()].flatMap((one) =>
        one.conversationId === conversationId && one.personId === personId ? one.key : [],
      );
    },

    async idle() {
      await Promise.all(handling);
    },
  };
}

const idOf = ({ conversationId, key }: Submitted) => `${conversationId}:${key}`;

function toSay(reply: Reply, asker: Person) {
  return {
    ...(reply.slot === undefined ? {} : { slot: reply.slot }),
    ...(reply.audience === 'asker' ? { visibleTo: asker.id } : {}),
    content: reply,
  };
}

type Arrival = Pick<Incoming, 'key' | 'place' | 'person' | 'receivedAt'>;

function toIncoming(submission: Submission, files: ReadonlyMap<string, Attachment>, arrival: Arrival): Incoming {
  switch (submission.kind) {
    case 'message':
      return { ...arrival, kind: 'message', text: submission.text, attachments: [...files.values()] };
    case 'action':
      return { ...arrival, kind: 'action', call: submission.call };
    case 'form':
      return {
        ...arrival,
        kind: 'form',
        call: submission.call,
        values: { ...submission.values, ...Object.fromEntries(files) },
      };
  }
}
