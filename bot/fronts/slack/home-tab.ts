// The Home tab: drawn when it is opened and when what it shows has changed; its settings, as they are pressed.
import type { App } from '@slack/bolt';
import type { Person } from '../../chat/message.ts';
import { partKind } from './actions.ts';
import { followUpsAction, isFollowUp, readHome, reminderAction, reminderHourOf, renderHome } from './home.ts';
import { followUpKind } from './intake.ts';
import type { Listening } from './listening.ts';
import { homeOpenedSchema, type PressedElement, workspaceOfEvent } from './payloads.ts';
import { reminderKind } from './reminders.ts';

export interface HomeTab {
  /** An answer changes what is due; whoever has opened App Home before finds it up to date. */
  refresh(workspaceId: string, personId: string): Promise<void>;
  /** @returns whether what was pressed is a setting; then it is kept. */
  takeSetting(workspaceId: string, person: Person, pressed: PressedElement): boolean;
}

/** Who has opened App Home. */
const homeKind = 'slack.home';

export function listenToHome(app: App, options: Listening): HomeTab {
  const { engine, intake, apiOf, work } = options;

  app.event('app_home_opened', async ({ event, body }) => {
    const opened = homeOpenedSchema.safeParse(event);
    const workspaceId = workspaceOfEvent(body);
    if (!opened.success || workspaceId === undefined || opened.data.tab === 'messages') return;
    work('App Home', () => publish(workspaceId, opened.data.user));
  });

  async function publish(workspaceId: string, personId: string) {
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

  /** @param value undefined takes the setting back. */
  async function set(workspaceId: string, kind: string, person: Person, value: boolean | number | undefined) {
    await intake.openWorkspace(workspaceId);
    if (value === undefined) await engine.kept.remove(workspaceId, kind, person.id);
    else await engine.kept.put(workspaceId, kind, person.id, value);
  }

  return {
    async refresh(workspaceId, personId) {
      if ((await engine.kept.get(workspaceId, homeKind, personId)) === true) await publish(workspaceId, personId);
    },
    takeSetting(workspaceId, person, { action_id, selected_option, selected_options }) {
      if (action_id === followUpsAction) {
        const followsUp = selected_options?.some(({ value }) => isFollowUp(value)) ?? false;
        work('a setting', () => set(workspaceId, followUpKind, person, followsUp));
        return true;
      }
      if (action_id !== reminderAction) return false;
      const hour = reminderHourOf(selected_option?.value ?? '');
      work('a setting', () => set(workspaceId, reminderKind, person, hour));
      return true;
    },
  };
}
