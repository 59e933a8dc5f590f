// views.*: modals, opened with a trigger that serves once and not for long, and App Home.
import { type Failure, fail, giveIds, type Method, type MethodContext } from './slack-server-method.ts';
import { checkView, type Fields } from './slack-server-rules.ts';
import { fieldsOf, isFields, words } from './slack-server-world.ts';

function useTrigger(triggerId: unknown, { triggers, nowMs }: MethodContext): Failure | { user: string } {
  const trigger = triggers.get(words(triggerId));
  if (trigger === undefined) return fail('invalid_trigger_id');
  if (trigger.used) return fail('exchanged_trigger_id');
  if (nowMs() > trigger.expiresMs) return fail('expired_trigger_id');
  trigger.used = true;
  return { user: trigger.user };
}

function refuseView(view: unknown, context: MethodContext): Failure | undefined {
  const problems = checkView(view);
  if (problems.length === 0) return undefined;
  context.violations.push(...problems.map((problem) => `view: ${problem}`));
  return fail('invalid_arguments', problems);
}

function toView(view: { id: string; hash: string; content: Fields }, { world }: MethodContext) {
  return { ...view.content, id: view.id, hash: view.hash, team_id: world.teamId, app_id: world.appId };
}

export const viewMethods: { readonly [name: string]: Method } = {
  'views.open': {
    args: ['trigger_id', 'view'],
    required: ['trigger_id', 'view'],
    run(args, context) {
      const trigger = useTrigger(args.trigger_id, context);
      if ('ok' in trigger) return trigger;
      const refused = refuseView(args.view, context);
      if (refused !== undefined || !isFields(args.view)) return refused ?? fail('invalid_arguments');
      const view = {
        id: context.world.nextId('V'),
        user: trigger.user,
        hash: context.world.nextId('h'),
        content: { ...args.view, blocks: giveIds(fieldsOf(args.view.blocks)) },
        open: true,
        state: {},
      };
      context.world.views.set(view.id, view);
      return { ok: true, view: toView(view, context) };
    },
  },
  'views.update': {
    args: ['view_id', 'external_id', 'view', 'hash'],
    required: ['view'],
    run(args, context) {
      const view = context.world.views.get(words(args.view_id));
      if (view === undefined || !view.open) return fail('not_found');
      if (args.hash !== undefined && args.hash !== view.hash) return fail('hash_conflict');
      const refused = refuseView(args.view, context);
      if (refused !== undefined || !isFields(args.view)) return refused ?? fail('invalid_arguments');
      view.content = { ...args.view, blocks: giveIds(fieldsOf(args.view.blocks)) };
      view.hash = context.world.nextId('h');
      return { ok: true, view: toView(view, context) };
    },
  },
  'views.publish': {
    args: ['user_id', 'view', 'hash'],
    required: ['user_id', 'view'],
    run(args, context) {
      if (!context.world.people.has(words(args.user_id))) return fail('invalid_arguments', ['no such user']);
      const refused = refuseView(args.view, context);
      if (refused !== undefined || !isFields(args.view)) return refused ?? fail('invalid_arguments');
      const content = { ...args.view, blocks: giveIds(fieldsOf(args.view.blocks)) };
      context.world.homes.set(words(args.user_id), content);
      return { ok: true, view: { ...content, id: `VH${words(args.user_id)}`, hash: 'h' } };
    },
  },
};
