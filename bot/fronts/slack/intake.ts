// What people do in Slack → what they mean: messages, commands, presses, forms. Acknowledged first, then worked on; each
// event by a key of its own, so that whatever Slack sends again is answered once.
import type { Engine } from '../../../engine/index.ts';
import { maxUploadBytes, UserError } from '../../../engine/index.ts';
import type { Attachment, Call, Incoming, Person, Place } from '../../chat/message.ts';
import { apology } from '../../chat/reply.ts';
import type { Downloads } from '../download.ts';
import type { Front, Handle } from '../front.ts';
import { callSchema, type FormBlock, fileSchema, formSchema, type Pressed, partKind, pickSchema } from './actions.ts';
import { keys } from './arrivals.ts';
import type { Filled, SlackFile } from './modal.ts';
import type { MessageEvent } from './payloads.ts';
import { readText } from './payloads.ts';
import { headingKind, isDirect, newConversation, type Places, placeIn } from './places.ts';

export interface IntakeOptions {
  readonly engine: Pick<Engine, 'conversations' | 'kept' | 'tutor' | 'quizzes'>;
  readonly places: Places;
  readonly downloadsOf: (workspaceId: string) => Promise<Downloads>;
  readonly handle: Handle;
  readonly deliver: Front['deliver'];
  readonly now: () => Date;
}

export interface Asked {
  readonly workspaceId: string;
  readonly person: Person;
  /** Idempotency key. */
  readonly key: string;
}

export interface Intake {
  /** Whether a message is meant for us. */
  isForUs(workspaceId: string, event: MessageEvent, botUserId: string | undefined): Promise<boolean>;
  takeMessage(workspaceId: string, event: MessageEvent, botUserId: string | undefined): Promise<void>;
  takeSlash(asked: Asked, channel: string, typed: string): Promise<void>;
  takeCall(asked: Asked, place: Place, call: Call): Promise<void>;
  takeForm(asked: Asked, place: Place, form: FormBlock, filled: Filled): Promise<void>;
  /** @returns undefined for what is not kept (any more). */
  callOf(workspaceId: string, pressed: Exclude<Pressed, { kind: 'form' | 'file' }>): Promise<Call | undefined>;
  formOf(workspaceId: string, name: string): Promise<FormBlock | undefined>;
  fileOf(workspaceId: string, name: string): Promise<{ path: string; name: string } | undefined>;
  /** A quiz on what a text is about, or the chapters to choose from. */
  quizOn(text: string): Promise<Call>;
  openWorkspace(workspaceId: string): Promise<void>;
}

export const followUpKind = 'slack.follow-ups';

/** Messages that are not somebody saying something: edits, joins, deletions. */
const spoken = new Set([undefined, 'file_share', 'thread_broadcast']);

export function createIntake({ engine, places, downloadsOf, handle, deliver, now }: IntakeOptions): Intake {
  const opened = new Map<string, Promise<void>>();

  function openWorkspace(workspaceId: string): Promise<void> {
    const known = opened.get(workspaceId);
    if (known !== undefined) return known;
    const opening = engine.conversations.openWorkspace(workspaceId, workspaceId);
    opened.set(workspaceId, opening);
    opening.catch(() => opened.delete(workspaceId));
    return opening;
  }

  const arrived = ({ key, person }: Asked, place: Place) => ({ key, place, person, receivedAt: now() });

  /** Keeps what a person said, so that a follow-up is understood; saying it twice changes nothing. */
  async function remember(
    place: Place,
    { key, person }: Asked,
    text: string,
    files: readonly { name: string; bytes: number }[],
  ) {
    const content = { text, attachments: files };
    await engine.conversations.say(place, { personId: person.id, slot: `said:${key}`, content });
  }

  async function fetchFiles(workspaceId: string, files: readonly SlackFile[]): Promise<readonly Attachment[]> {
    if (files.length === 0) return [];
    const downloads = await downloadsOf(workspaceId);
    const fetched: Attachment[] = [];
    try {
      for (const file of files) {
        fetched.push(
          await downloads.fetch({
            url: file.url_private_download ?? file.url_private ?? '',
            name: file.name ?? 'file',
            bytes: file.size ?? 0,
          }),
        );
      }
    } catch (error) {
      await Promise.all(fetched.map(downloads.remove));
      throw error;
    }
    return fetched;
  }

  /** Fetches, hands over, and clears away; a file that can't be fetched is said to the person. */
  async function withFiles(
    asked: Asked,
    place: Place,
    files: readonly SlackFile[],
    work: (attachments: readonly Attachment[]) => Incoming,
  ) {
    let attachments: readonly Attachment[] = [];
    try {
      attachments = await fetchFiles(place.workspaceId, files);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (await engine.conversations.claim(place.workspaceId, asked.key))
        await deliver(place, apology(error), asked.person);
      return;
    }
    try {
      await handle(work(attachments));
    } finally {
      const downloads = files.length === 0 ? undefined : await downloadsOf(place.workspaceId);
      await Promise.all(attachments.map((attachment) => downloads?.remove(attachment)));
    }
  }

  async function followsUp(workspaceId: string, personId: string): Promise<boolean> {
    return (await engine.kept.get(workspaceId, followUpKind, personId)) !== false;
  }

  return {
    openWorkspace,

    async isForUs(workspaceId, event, botUserId) {
      if (event.user === undefined || event.user === botUserId || event.bot_id !== undefined) return false;
      if (!spoken.has(event.subtype)) return false;
      if (event.type === 'app_mention' || isDirect(event.channel) || event.channel_type === 'im') return true;
      if (botUserId !== undefined && event.text.includes(`<@${botUserId}`)) return true;
      if (event.thread_ts === undefined) return false;
      // In a thread of ours, what is said to somebody else by name is left alone.
      if (/^\s*<@/.test(event.text)) return false;
      await openWorkspace(workspaceId);
      const conversationId = await places.conversationOf(workspaceId, event.channel, event.ts, event.thread_ts);
      const ours =
        event.parent_user_id === botUserId ||
        (await places.isOurs(workspaceId, event.channel, event.thread_ts)) ||
        (await engine.conversations.history(placeIn(workspaceId, conversationId), event.user, 1)).length > 0;
      return ours && (await followsUp(workspaceId, event.user));
    },

    async takeMessage(workspaceId, event, botUserId) {
      const { user, channel, ts, files = [] } = event;
      if (user === undefined) return;
      await openWorkspace(workspaceId);
      // What is written to us directly begins a thread, as in its own view: each question with its follow-ups.
      const threadTs = event.thread_ts ?? (isDirect(channel) ? ts : undefined);
      const place = placeIn(workspaceId, await places.conversationOf(workspaceId, channel, ts, threadTs));
      const text = readText(event.text, botUserId);
      const asked: Asked = { workspaceId, person: { id: user, name: user }, key: keys.message(channel, ts) };
      await remember(
        place,
        asked,
        text,
        files.map(({ name, size }) => ({ name: name ?? 'file', bytes: size ?? 0 })),
      );
      await withFiles(asked, place, files, (attachments) => ({
        ...arrived(asked, place),
        kind: 'message',
        text,
        attachments,
      }));
    },

    async takeSlash(asked, channel, typed) {
      const { workspaceId, person } = asked;
      await openWorkspace(workspaceId);
      const place = placeIn(workspaceId, newConversation(channel, asked.key));
      const text = readText(typed, undefined);
      if (!isDirect(channel)) {
        const heading = `${person.name}: /finetutor ${text}`.trim();
        await engine.kept.put(workspaceId, headingKind, place.conversationId, heading);
      }
      await remember(place, asked, text, []);
      await handle({ ...arrived(asked, place), kind: 'message', text, attachments: [] });
    },

    async takeCall(asked, place, call) {
      await handle({ ...arrived(asked, place), kind: 'action', call });
    },

    async takeForm(asked, place, form, { values, files }) {
      const fields = Object.entries(files);
      await withFiles(
        asked,
        place,
        fields.map(([, file]) => file),
        (attachments) => ({
          ...arrived(asked, place),
          kind: 'form',
          call: form.call,
          values: {
            ...values,
            ...Object.fromEntries(fields.map(([id], index) => [id, attachments[index]]).filter(isFilled)),
          },
        }),
      );
    },

    async callOf(workspaceId, pressed) {
      if (pressed.kind === 'call') return pressed.call;
      const kept = await engine.kept.get(workspaceId, partKind, pressed.name);
      if (pressed.kind === 'kept-call') {
        const call = callSchema.safeParse(kept);
        return call.success ? call.data : undefined;
      }
      const pick = pickSchema.safeParse(kept);
      if (!pick.success) return undefined;
      const { call, argument } = pick.data;
      const long = pressed.value.startsWith('#')
        ? await engine.kept.get(workspaceId, partKind, pressed.value.slice(1))
        : pressed.value;
      return typeof long === 'string' ? { ...call, args: { ...call.args, [argument]: long } } : undefined;
    },

    async formOf(workspaceId, name) {
      const form = formSchema.safeParse(await engine.kept.get(workspaceId, partKind, name));
      return form.success ? form.data : undefined;
    },

    async fileOf(workspaceId, name) {
      const file = fileSchema.safeParse(await engine.kept.get(workspaceId, partKind, name));
      return file.success ? file.data : undefined;
    },

    async quizOn(text) {
      const { citations } = await engine.tutor.ask(text.slice(0, 2000), []);
      const chapters = new Set(engine.quizzes.chapters.map(({ chapterId }) => chapterId));
      const found = citations.find(({ chapterId }) => chapters.has(chapterId));
      return { command: 'quiz', args: found === undefined ? {} : { chapter: found.chapterId } };
    },
  };
}

const isFilled = (entry: readonly (string | Attachment | undefined)[]): entry is [string, Attachment] =>
  entry[1] !== undefined;

/** As large a file as the product takes at all. */
export const fileLimitBytes = maxUploadBytes;
