// Forms as modals: opened while their trigger serves, drawn anew when a field changes, taken in once they hold no mistake.
import type { App } from '@slack/bolt';
import { type FormBlock, keep, partKind } from './actions.ts';
import { keys } from './arrivals.ts';
import type { Asked } from './intake.ts';
import { type Listening, personOf } from './listening.ts';
import { findProblems, formCallback, type Origin, readFilled, readOrigin, renderModal } from './modal.ts';
import { submissionSchema } from './payloads.ts';
import { placeIn } from './places.ts';

export interface Forms {
  /** @param conversationId where its answer goes; empty: to the person directly. */
  open(workspaceId: string, form: FormBlock, conversationId: string, triggerId: string): Promise<void>;
  /** A field changed that others depend on: the modal is drawn anew around what is filled in. */
  refresh(
    workspaceId: string,
    view: {
      readonly id: string;
      readonly hash: string | undefined;
      readonly metadata: string;
      readonly state: unknown;
    },
  ): Promise<void>;
}

export function listenToForms(app: App, listening: Listening): Forms {
  const { engine, intake, apiOf, quietly, work, inDirectMessage } = listening;

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

  return {
    async open(workspaceId, form, conversationId, triggerId) {
      const { name, value } = keep(form);
      await intake.openWorkspace(workspaceId);
      const [api] = await Promise.all([apiOf(workspaceId), engine.kept.put(workspaceId, partKind, name, value)]);
      await api.call('views.open', {
        trigger_id: triggerId,
        view: renderModal(form, { form: name, workspaceId, conversationId }),
      });
    },
    async refresh(workspaceId, view) {
      const origin = readOrigin(view.metadata);
      const form = await intake.formOf(workspaceId, origin.form);
      if (form === undefined) return;
      const { values } = readFilled(form, view.state);
      await quietly(workspaceId, 'views.update', {
        view_id: view.id,
        ...(view.hash === undefined ? {} : { hash: view.hash }),
        view: renderModal(form, origin, values),
      });
    },
  };
}
