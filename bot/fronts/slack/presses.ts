// Presses of buttons and choices in selects: what they mean, and where their answer belongs.
import type { App } from '@slack/bolt';
import { UserError } from '../../../engine/index.ts';
import type { Place } from '../../chat/message.ts';
import { apology, aside, text } from '../../chat/reply.ts';
import { readAction } from './actions.ts';
import { keys } from './arrivals.ts';
import type { Forms } from './forms.ts';
import type { HomeTab } from './home-tab.ts';
import type { Asked } from './intake.ts';
import { type Listening, personOf } from './listening.ts';
import { actionSchema, workspaceOf } from './payloads.ts';
import { newConversation, placeIn } from './places.ts';
import { readOwnFile, uploadFile } from './uploads.ts';

export function listenToPresses(app: App, options: Listening, { forms, home }: { forms: Forms; home: HomeTab }): void {
  const { engine, intake, places, apiOf, deliver, log, work, inDirectMessage } = options;

  app.action(/.*/, async ({ ack, body }) => {
    await ack();
    const pressed = actionSchema.parse(body);
    const workspaceId = workspaceOf(pressed);
    const [action] = pressed.actions;
    if (workspaceId === undefined || action === undefined) return;
    const person = personOf(pressed.user);
    const asked: Asked = { workspaceId, person, key: keys.trigger(pressed.trigger_id) };

    if (home.takeSetting(workspaceId, person, action)) return;
    const read = readAction(action.action_id, action.value, action.selected_option?.value);
    // A trigger of long ago opens nothing: the person sees no modal, and presses again.
    if (options.arrivals.isLeft(asked.key) && (read?.kind === 'form' || pressed.view?.type === 'modal')) return;
    if (pressed.view?.type === 'modal') {
      const { id, hash, private_metadata: metadata, state } = pressed.view;
      if (metadata !== undefined) await forms.refresh(workspaceId, { id, hash, metadata, state });
      return;
    }
    if (read === undefined) return;
    const where = await whereOf(workspaceId, pressed, asked);
    if (pressed.response_url !== undefined && where !== undefined) options.answerAt(where, pressed.response_url);
    if (read.kind === 'form') {
      const form = await intake.formOf(workspaceId, read.name);
      if (form !== undefined) await forms.open(workspaceId, form, where?.conversationId ?? '', pressed.trigger_id);
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
      if (call?.command === 'quiz') await home.refresh(workspaceId, person.id);
    });
  });

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
}
