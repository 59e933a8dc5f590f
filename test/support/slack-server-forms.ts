// Modals as people fill them in: each field's state, what depends on it, and what the app may answer to the whole.
import type { SlackLink } from './slack-server-link.ts';
import { type MethodContext, toFile } from './slack-server-method.ts';
import { checkView, type Fields } from './slack-server-rules.ts';
import { fieldsOf, isFields, type Person, type UploadedFile, type View, words } from './slack-server-world.ts';

export interface SlackForms {
  /** The newest view this person has open. */
  openView(person: Person): View | undefined;
  /** Fills in one field of the open view, as a person does. */
  fill(person: Person, label: string, value: string | readonly string[] | UploadedFile): Promise<void>;
  /** Submits the open view. @returns what the app answered. */
  submit(person: Person): Promise<Fields | undefined>;
}

export interface SlackFormsOptions {
  readonly context: MethodContext;
  readonly sendInteraction: SlackLink['sendInteraction'];
  /** What every interaction of this person says. */
  readonly base: (person: Person) => Fields;
  readonly newTrigger: (person: Person) => string;
}

export const optionsOf = (element: Fields) => [
  ...fieldsOf(element.options),
  ...fieldsOf(element.option_groups).flatMap((group) => fieldsOf(group.options)),
];

/** https://docs.slack.dev/surfaces/modals#response_actions */
const answerFields: { readonly [action: string]: readonly string[] } = {
  clear: [],
  errors: ['errors'],
  push: ['view'],
  update: ['view'],
};

/** What is wrong with an answer to a submitted form; an empty one closes it. */
function checkAnswer(answer: Fields, view: View): readonly string[] {
  if (Object.keys(answer).length === 0) return [];
  const action = words(answer.response_action);
  const fields = answerFields[action];
  if (fields === undefined) return [`view: no response_action is called ${action}`];
  const unknown = Object.keys(answer).filter((name) => name !== 'response_action' && !fields.includes(name));
  const inputs = new Set(
    fieldsOf(view.content.blocks)
      .filter(({ type }) => type === 'input')
      .map(({ block_id }) => words(block_id)),
  );
  const errors = action === 'errors' && isFields(answer.errors) ? Object.entries(answer.errors) : [];
  return [
    ...unknown.map((name) => `view: ${action} has no field ${name}`),
    ...(action === 'errors' && errors.length === 0 ? ['view: errors without an error'] : []),
    ...errors.filter(([id]) => !inputs.has(id)).map(([id]) => `view: no input block is called ${id}`),
    ...errors.filter(([, told]) => words(told) === '').map(([id]) => `view: the error of ${id} says nothing`),
    ...(fields.includes('view') ? checkView(answer.view) : []),
  ];
}

const realWait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export function createForms({ context, sendInteraction, base, newTrigger }: SlackFormsOptions): SlackForms {
  const { world } = context;

  const newestView = (person: Person) =>
    [...world.views.values()].findLast((view) => view.user === person.id && view.open);

  const viewPayload = (view: View) => ({
    ...view.content,
    id: view.id,
    team_id: world.teamId,
    hash: view.hash,
    state: { values: view.state },
    app_id: world.appId,
    app_installed_team_id: world.teamId,
    bot_id: world.botId,
    root_view_id: view.id,
    previous_view_id: null,
  });

  function stateOf(block: Fields, element: Fields): Fields {
    switch (element.type) {
      case 'static_select':
      case 'radio_buttons':
        return { type: element.type, selected_option: element.initial_option ?? null };
      case 'checkboxes':
      case 'multi_static_select':
        return { type: element.type, selected_options: element.initial_options ?? [] };
      case 'file_input':
        return { type: element.type, files: [] };
      default:
        return { type: element.type ?? block.type, value: element.initial_value ?? null };
    }
  }

  /** The fields a view shows, with what is in them. */
  function settle(view: View) {
    const shown = fieldsOf(view.content.blocks).filter((block) => block.type === 'input');
    const ids = new Set(shown.map((block) => words(block.block_id)));
    for (const id of Object.keys(view.state)) if (!ids.has(id)) delete view.state[id];
    for (const block of shown) {
      if (!isFields(block.element)) continue;
      const actionId = words(block.element.action_id);
      const actions = view.state[words(block.block_id)] ?? {};
      actions[actionId] ??= stateOf(block, block.element);
      view.state[words(block.block_id)] = actions;
    }
    return shown;
  }

  return {
    openView: newestView,
    async fill(person, label, value) {
      const view = newestView(person);
      if (view === undefined) throw new Error(`${person.name} has no view open`);
      const block = settle(view).find((one) => isFields(one.label) && words(one.label.text) === label);
      if (block === undefined || !isFields(block.element)) throw new Error(`the view has no field ${label}`);
      const element = block.element;
      const actionId = words(element.action_id);
      const actions = view.state[words(block.block_id)] ?? {};
      view.state[words(block.block_id)] = actions;
      if (Array.isArray(value)) {
        const chosen = optionsOf(element).filter((one) => isFields(one.text) && value.includes(words(one.text.text)));
        if (chosen.length !== value.length) throw new Error(`${label} does not have all of ${value.join(', ')}`);
        actions[actionId] = { type: element.type, selected_options: chosen };
      } else if (typeof value === 'object' && 'name' in value) {
        actions[actionId] = { type: 'file_input', files: [toFile(value, context.baseUrl())] };
      } else if (element.type === 'static_select' || element.type === 'radio_buttons') {
        const chosen = optionsOf(element).find((one) => isFields(one.text) && words(one.text.text) === value);
        if (chosen === undefined) throw new Error(`${label} has no option ${value}`);
        actions[actionId] = { type: element.type, selected_option: chosen };
      } else actions[actionId] = { type: element.type, value };
      if (block.dispatch_action !== true) return;
      const hash = view.hash;
      await sendInteraction('interactive', {
        type: 'block_actions',
        ...base(person),
        container: { type: 'view', view_id: view.id },
        trigger_id: newTrigger(person),
        view: viewPayload(view),
        actions: [{ block_id: block.block_id, action_id: actionId, action_ts: world.nextTs(), ...actions[actionId] }],
      });
      for (let tries = 0; tries < 100 && view.hash === hash; tries++) await realWait(10);
    },
    async submit(person) {
      const view = newestView(person);
      if (view === undefined) throw new Error(`${person.name} has no view open`);
      for (const block of settle(view)) {
        const [state] = Object.values(view.state[words(block.block_id)] ?? {});
        const several = fieldsOf(state?.selected_options)[0] ?? fieldsOf(state?.files)[0];
        const filled = state?.value ?? state?.selected_option ?? several;
        if (block.optional !== true && (filled === undefined || filled === null)) {
          throw new Error(`${isFields(block.label) ? words(block.label.text) : ''} must be filled in`);
        }
      }
      const answer = await sendInteraction('interactive', {
        type: 'view_submission',
        ...base(person),
        trigger_id: newTrigger(person),
        view: viewPayload(view),
        response_urls: [],
      });
      if (answer !== undefined) context.violations.push(...checkAnswer(answer, view));
      if (answer !== undefined && answer.response_action !== 'errors' && answer.response_action !== 'update')
        view.open = false;
      return answer;
    },
  };
}
