// Bolt's listeners. Each acknowledges first; what opens a modal does so at once, since a trigger serves for three seconds.
import type { App } from '@slack/bolt';
import { listenToAgentView } from './agent-view.ts';
import { keys } from './arrivals.ts';
import { listenToForms } from './forms.ts';
import { listenToFunctions } from './functions.ts';
import { listenToHome } from './home-tab.ts';
import { createListening, type Listening, type ListenOptions } from './listening.ts';
import {
  botUserOf,
  type MessageEvent,
  messageEventSchema,
  slashSchema,
  workspaceOfEvent,
  workspaceOfSlash,
} from './payloads.ts';
import { newConversation, placeIn } from './places.ts';
import { listenToPresses } from './presses.ts';
import { listenToShortcuts } from './shortcuts.ts';

const slashCommand = /^\/finetutor/;

export function listen(app: App, options: ListenOptions): void {
  const listening = createListening(options);
  const forms = listenToForms(app, listening);
  const home = listenToHome(app, listening);
  const agentView = listenToAgentView(app, listening);
  listenToMessages(app, listening, agentView);
  listenToCommands(app, listening);
  listenToShortcuts(app, listening, forms);
  listenToPresses(app, listening, { forms, home });
  listenToRemovals(app, listening);
  listenToFunctions(app, listening);
}

function listenToMessages(app: App, { intake, work }: Listening, { show }: ReturnType<typeof listenToAgentView>) {
  app.event(/^(message|app_mention)$/, async ({ event, body, context }) => {
    const said = messageEventSchema.safeParse(event);
    const workspaceId = workspaceOfEvent(body);
    if (!said.success || workspaceId === undefined) return;
    const botUserId = context.botUserId ?? botUserOf(body) ?? mentionedIn(said.data);
    work('a message', async () => {
      if (!(await intake.isForUs(workspaceId, said.data, botUserId))) return;
      await show(workspaceId, said.data);
      await intake.takeMessage(workspaceId, said.data, botUserId);
    });
  });
}

/** A mention of the app begins with its name, or has it somewhere: who else is in it comes after. */
const mentionedIn = ({ type, text }: MessageEvent) => (type === 'app_mention' ? /<@(\w+)/.exec(text)?.[1] : undefined);

function listenToCommands(app: App, { intake, work, answerAt }: Listening) {
  app.command(slashCommand, async ({ ack, body }) => {
    await ack();
    const slash = slashSchema.parse(body);
    const workspaceId = workspaceOfSlash(slash);
    if (workspaceId === undefined) return;
    const { channel_id, user_id, user_name, text: typed, trigger_id, response_url } = slash;
    const asked = {
      workspaceId,
      person: { id: user_id, name: user_name ?? user_id },
      key: keys.trigger(trigger_id),
    };
    if (response_url !== undefined)
      answerAt(placeIn(workspaceId, newConversation(channel_id, asked.key)), response_url);
    work('a slash command', () => intake.takeSlash(asked, channel_id, typed));
  });
}

function listenToRemovals(app: App, { work, forget, installations }: Listening) {
  app.event(/^(tokens_revoked|app_uninstalled)$/, async ({ body, context }) => {
    const workspaceId = workspaceOfEvent(body);
    if (workspaceId === undefined) return;
    work('an uninstallation', async () => {
      forget(workspaceId);
      await installations?.deleteInstallation?.({
        teamId: workspaceId,
        enterpriseId: context.enterpriseId,
        isEnterpriseInstall: context.isEnterpriseInstall,
      });
    });
  });
}
