// Bolt's listeners. Each acknowledges first; what opens a modal does so at once, since a trigger serves for three seconds.
import type { App } from '@slack/bolt';
import { type Engine, UserError } from '../../../engine/index.ts';
import type { Call, Person, Place } from '../../chat/message.ts';
import { apology, aside, text } from '../../chat/reply.ts';
import type { Front } from '../front.ts';
import { type FormBlock, keep, readAction } from './actions.ts';
import type { Fields, SlackApi } from './api.ts';
import { type Arrivals, keys } from './arrivals.ts';
import { partKind } from './delivery.ts';
import { listenToFunctions } from './functions.ts';
import { followUpsAction, isFollowUp, readHome, reminderAction, reminderHourOf, renderHome } from './home.ts';
import type { Installations } from './installations.ts';
import { type Asked, followUpKind, type Intake } from './intake.ts';
import { limits } from './limits.ts';
import { findProblems, formCallback, type Origin, readFilled, readOrigin, renderModal } from './modal.ts';
import {
  actionSchema,
  assistantStartedSchema,
  homeOpenedSchema,
  messageEventSchema,
  messageShortcutSchema,
  readText,
  shortcutSchema,
  slashSchema,
  submissionSchema,
  workspaceOf,
  workspaceOfEvent,
} from './payloads.ts';
import { isDirect, newConversation, type Places } from './places.ts';
import { reminderKind } from './reminders.ts';
import { readOwnFile, uploadFile } from './uploads.ts';

export interface ListenOptions {
  readonly engine: Engine;
  readonly intake: Intake;
  readonly places: Places;
  readonly apiOf: (workspaceId: string) => Promise<SlackApi>;
  readonly directMessage: (workspaceId: string, personId: string) => Promise<string>;
  readonly deliver: Front['deliver'];
  readonly dataDir: string;
  readonly pageUrl: () => string | undefined;
  readonly log: { error(fields: object, message: string): void; debug(fields: object, message: string): void };
  readonly arrivals: Pick<Arrivals, 'isLeft' | 'wasCutShort'>;
  /** Begins to work on something acknowledged. */
  readonly work: (what: string, doIt: () => Promise<void>) => void;
  /** A workspace's token is no good any more. */
  readonly forget: (workspaceId: string) => void;
  readonly installations: Installations | undefined;
  readonly now: () => Date;
  /** An address Slack gave to answer at, for half an hour. */
  readonly answerAt: (place: Place, url: string) => void;
}

/** Who has opened App Home. */
const homeKind = 'slack.home';

const slashCommand = /^\/finetutor/;

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

const prompts = [
  { title: 'Why does my model overfit?', message: 'Why does my model do well in training and badly on new data?' },
  { title: 'Explain LoRA', message: 'explain LoRA' },
  { title: 'Quiz me', message: 'quiz' },
  { title: 'Fine-tune a model', message: 'finetune' },
].slice(0, limits.suggestedPrompts);

export function listen(app: App, options: ListenOptions): void {
  const { engine, intake, places, apiOf, directMessage, deliver, log, work } = options;

  const placeIn = (workspaceId: string, conversationId: string): Place => ({
    front: 'slack',
    workspaceId,
    conversationId,
  });
  const inDirectMessage = async (workspaceId: string, personId: string) =>
    placeIn(workspaceId, await directMessage(workspaceId, personId));

  app.event(/^(message|app_mention)$/, async ({ event, body, context }) => {
    const said = messageEventSchema.safeParse(event);
    const workspaceId = workspaceOfEvent(body);
    if (!said.success || workspaceId === undefined) return;
    const { botUserId } = context;
    work('a message', async () => {
      if (!(await intake.isForUs(workspaceId, said.data, botUserId))) return;
      if (said.data.thread_ts !== undefined && isDirect(said.data.channel)) {
        await showStatus(workspaceId, said.data.channel, said.data.thread_ts);
      }
      await intake.takeMessage(workspaceId, said.data, botUserId);
    });
  });

  /** In its own view a person sees that the answer is under way; Slack takes it away with our answer. */
  async function showStatus(workspaceId: string, channel: string, threadTs: string) {
    await quietly(workspaceId, 'assistant.threads.setStatus', {
      channel_id: channel,
      thread_ts: threadTs,
      status: 'is looking it up…',
    });
  }

  /** Something pleasant to have, nothing to fail for. */
  async function quietly(workspaceId: string, method: string, args: Fields) {
    const api = await apiOf(workspaceId);
    await api.call(method, args).catch((error: unknown) => log.debug({ err: error }, `Slack: ${method} was refused`));
  }

  app.command(slashCommand, async ({ ack, body }) => {
    await ack();
    const {
      team_id: workspaceId,
      channel_id,
      user_id,
      user_name,
      text: typed,
      trigger_id,
      response_url,
    } = slashSchema.parse(body);
    const asked = {
      workspaceId,
      person: { id: user_id, name: user_name ?? user_id },
      key: keys.trigger(trigger_id),
    };
    if (response_url !== undefined)
      options.answerAt(placeIn(workspaceId, newConversation(channel_id, asked.key)), response_url);
    work('a slash command', () => intake.takeSlash(asked, channel_id, typed));
  });

  app.shortcut({ type: 'shortcut' }, async ({ ack, body }) => {
    await ack();
    const shortcut = shortcutSchema.parse(body);
    const workspaceId = workspaceOf(shortcut);
    if (workspaceId === undefined) return;
    const asked: Asked = { workspaceId, person: personOf(shortcut.user), key: keys.trigger(shortcut.trigger_id) };
    const call = globalCalls[shortcut.callback_id];
    if (call === undefined) {
      if (!options.arrivals.isLeft(asked.key)) await openForm(workspaceId, askForm, '', shortcut.trigger_id);
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

  async function openForm(workspaceId: string, form: FormBlock, conversationId: string, triggerId: string) {
    const { name, value } = keep(form);
    await intake.openWorkspace(workspaceId);
    const [api] = await Promise.all([apiOf(workspaceId), engine.kept.put(workspaceId, partKind, name, value)]);
    await api.call('views.open', {
      trigger_id: triggerId,
      view: renderModal(form, { form: name, workspaceId, conversationId }),
    });
  }

  app.action(/.*/, async ({ ack, body }) => {
    await ack();
    const pressed = actionSchema.parse(body);
    const workspaceId = workspaceOf(pressed);
    const [action] = pressed.actions;
    if (workspaceId === undefined || action === undefined) return;
    const person = personOf(pressed.user);
    const asked: Asked = { workspaceId, person, key: keys.trigger(pressed.trigger_id) };

    if (action.action_id === followUpsAction) {
      const followsUp = action.selected_options?.some(({ value }) => isFollowUp(value)) ?? false;
      work('a setting', () => set(workspaceId, followUpKind, person, followsUp));
      return;
    }
    if (action.action_id === reminderAction) {
      const hour = reminderHourOf(action.selected_option?.value ?? '');
      work('a setting', () => set(workspaceId, reminderKind, person, hour));
      return;
    }
    const read = readAction(action.action_id, action.value, action.selected_option?.value);
    // A trigger of long ago opens nothing: the person sees no modal, and presses again.
    if (options.arrivals.isLeft(asked.key) && (read?.kind === 'form' || pressed.view?.type === 'modal')) return;
    if (pressed.view?.type === 'modal') {
      const { id, hash, private_metadata: metadata, state } = pressed.view;
      if (metadata !== undefined) await refreshForm(workspaceId, { id, hash, metadata, state });
      return;
    }
    if (read === undefined) return;
    const where = await whereOf(workspaceId, pressed, asked);
    if (pressed.response_url !== undefined && where !== undefined) options.answerAt(where, pressed.response_url);
    if (read.kind === 'form') {
      const form = await intake.formOf(workspaceId, read.name);
      if (form !== undefined) await openForm(workspaceId, form, where?.conversationId ?? '', pressed.trigger_id);
      else work('an old form', async () => gone(where ?? (await inDirectMessage(workspaceId, person.id)), asked));
      return;
    }
    work('a press', async () => {
      const place = where ?? (await inDirectMessage(workspaceId, person.id));
      if (read.kind === 'file') {
        await sendFile(place, asked, read.name);
        return;
      }
      const call = await intake.callOf(workspaceId, read);
      if (call === undefined) await gone(place, asked);
      else await intake.takeCall(asked, place, call);
      if (call?.command === 'quiz') await refreshHome(workspaceId, person.id);
    });
  });

  /** @param value undefined takes the setting back. */
  async function set(workspaceId: string, kind: string, person: Person, value: boolean | number | undefined) {
    await intake.openWorkspace(workspaceId);
    if (value === undefined) await engine.kept.remove(workspaceId, kind, person.id);
    else await engine.kept.put(workspaceId, kind, person.id, value);
  }

  /** The conversation a pressed message belongs to; undefined: it was pressed in App Home. */
  async function whereOf(
    workspaceId: string,
    pressed: ReturnType<typeof actionSchema.parse>,
    { key }: Asked,
  ): Promise<Place | undefined> {
    const { channel, container, message } = pressed;
    if (channel === undefined) return undefined;
    const threadTs = message?.thread_ts ?? container?.thread_ts;
    const ts = message?.ts ?? container?.message_ts;
    // A private message outside of any thread is nobody's thread: an answer to it begins one.
    if (container?.is_ephemeral === true && threadTs === undefined)
      return placeIn(workspaceId, newConversation(channel.id, key));
    return placeIn(workspaceId, await places.conversationOf(workspaceId, channel.id, ts, threadTs));
  }

  async function gone(place: Place, { key, person, workspaceId }: Asked) {
    if (!(await engine.conversations.claim(workspaceId, key))) return;
    await deliver(
      place,
      apology(new UserError('This is from long ago and does not work any more.', 'Ask for it again.')),
      person,
    );
  }

  async function sendFile(place: Place, { key, person, workspaceId }: Asked, name: string) {
    if (!(await engine.conversations.claim(workspaceId, key))) return;
    try {
      const reference = await intake.fileOf(workspaceId, name);
      if (reference === undefined) throw new UserError('This file is not here any more.', 'Open the run again: runs');
      const file = await readOwnFile(options.dataDir, reference.path);
      const { channel, threadTs } = await places.find(workspaceId, place.conversationId);
      await uploadFile(await apiOf(workspaceId), { name: reference.name, bytes: file.bytes }, { channel, threadTs });
    } catch (error) {
      if (!(error instanceof UserError)) {
        log.error({ err: error }, 'Slack: a file could not be sent');
        await deliver(place, aside(text('**The file could not be sent.** Try it once more in a minute.')), person);
      } else await deliver(place, apology(error), person);
    }
  }

  /** A field changed that others depend on: the modal is drawn anew around what is filled in. */
  async function refreshForm(
    workspaceId: string,
    view: {
      readonly id: string;
      readonly hash: string | undefined;
      readonly metadata: string;
      readonly state: unknown;
    },
  ) {
    const origin = readOrigin(view.metadata);
    const form = await intake.formOf(workspaceId, origin.form);
    if (form === undefined) return;
    const { values } = readFilled(form, view.state);
    await quietly(workspaceId, 'views.update', {
      view_id: view.id,
      ...(view.hash === undefined ? {} : { hash: view.hash }),
      view: renderModal(form, origin, values),
    });
  }

  app.view(formCallback, async ({ ack, body }) => {
    const submission = submissionSchema.parse(body);
    const origin: Origin = readOrigin(submission.view.private_metadata);
    const { workspaceId } = origin;
    const form = await intake.formOf(workspaceId, origin.form);
    if (form === undefined) {
      await ack();
      return;
    }
    const filled = readFilled(form, submission.view.state);
    const problems = findProblems(form, filled);
    if (Object.keys(problems).length > 0) {
      await ack({ response_action: 'errors', errors: { ...problems } });
      return;
    }
    await ack();
    const person = personOf(submission.user);
    const asked: Asked = { workspaceId, person, key: keys.view(submission.view) };
    work('a form', async () => {
      const place =
        origin.conversationId === ''
          ? await inDirectMessage(workspaceId, person.id)
          : placeIn(workspaceId, origin.conversationId);
      await intake.takeForm(asked, place, form, filled);
    });
  });

  app.event('app_home_opened', async ({ event, body }) => {
    const opened = homeOpenedSchema.safeParse(event);
    const workspaceId = workspaceOfEvent(body);
    if (!opened.success || workspaceId === undefined || opened.data.tab === 'messages') return;
    work('App Home', () => publishHome(workspaceId, opened.data.user));
  });

  async function publishHome(workspaceId: string, personId: string) {
    await intake.openWorkspace(workspaceId);
    const [followsUp, hour] = await Promise.all([
      engine.kept.get(workspaceId, followUpKind, personId),
      engine.kept.get(workspaceId, reminderKind, personId),
      engine.kept.put(workspaceId, homeKind, personId, true),
    ]);
    const settings = { followsUp: followsUp !== false, reminderHour: typeof hour === 'number' ? hour : undefined };
    const given = { settings, pageUrl: options.pageUrl(), now: options.now() };
    const { view, kept } = renderHome(await readHome(engine, { workspaceId, personId, ...given }));
    await Promise.all(kept.map(({ name, value }) => engine.kept.put(workspaceId, partKind, name, value)));
    await (await apiOf(workspaceId)).call('views.publish', { user_id: personId, view });
  }

  /** An answer changes what is due; whoever has opened App Home before finds it up to date. */
  async function refreshHome(workspaceId: string, personId: string) {
    if ((await engine.kept.get(workspaceId, homeKind, personId)) === true) await publishHome(workspaceId, personId);
  }

  app.event('assistant_thread_started', async ({ event, body }) => {
    const started = assistantStartedSchema.safeParse(event);
    const workspaceId = workspaceOfEvent(body);
    if (!started.success || workspaceId === undefined) return;
    const { channel_id, thread_ts } = started.data.assistant_thread;
    work('a new assistant thread', () =>
      quietly(workspaceId, 'assistant.threads.setSuggestedPrompts', {
        channel_id,
        thread_ts,
        title: 'For example',
        prompts,
      }),
    );
  });

  app.event(/^(tokens_revoked|app_uninstalled)$/, async ({ body, context }) => {
    const workspaceId = workspaceOfEvent(body);
    if (workspaceId === undefined) return;
    work('an uninstallation', async () => {
      options.forget(workspaceId);
      await options.installations?.deleteInstallation?.({
        teamId: workspaceId,
        enterpriseId: context.enterpriseId,
        isEnterpriseInstall: context.isEnterpriseInstall,
      });
    });
  });

  listenToFunctions(app, { engine, intake, log, work, arrivals: options.arrivals });
}

const personOf = (user: {
  readonly id: string;
  readonly name?: string | undefined;
  readonly username?: string | undefined;
}): Person => ({
  id: user.id,
  name: user.name ?? user.username ?? user.id,
});

/** Global shortcuts that need no question first. */
const globalCalls: { readonly [callbackId: string]: Call } = {
  quiz: { command: 'quiz', args: {} },
  review: { command: 'review', args: {} },
  finetune: { command: 'finetune', args: {} },
};
