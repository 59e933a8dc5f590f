// What arrives from Slack is kept, acknowledged, then worked on, since Slack sends nothing again that was acknowledged; what a
// process that ended had left undone goes through Bolt once more, as it came.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import type { ReceiverEvent } from '@slack/bolt';
import { z } from 'zod';
import type { KeptEvent } from '../../../engine/index.ts';
import type { FrontInbox } from '../inbox.ts';
import {
  actionSchema,
  botUserOf,
  type MessageEvent,
  messageEventSchema,
  slashSchema,
  submissionSchema,
  workspaceOf,
  workspaceOfEvent,
  workspaceOfSlash,
} from './payloads.ts';
import { isDirect } from './places.ts';

export interface Arrivals {
  take(event: ReceiverEvent): Promise<void>;
  /** Belongs to what is being taken in now: that is done when this is. */
  began(work: Promise<unknown>): void;
  redo(event: KeptEvent): Promise<void>;
  /** Left behind by a process that ended: triggers and addresses of it have expired. */
  isLeft(key: string): boolean;
  /** Left behind half done: doing it all again could launch a run twice. */
  wasCutShort(key: string): boolean;
}

export interface ArrivalsOptions {
  /** Who we are, where Slack has told us. */
  readonly botUserId: () => string | undefined;
  readonly inbox: Pick<FrontInbox, 'keep' | 'done'>;
  readonly process: (event: ReceiverEvent) => Promise<void>;
}

export const keys = {
  trigger: (triggerId: string) => `slack:trigger:${triggerId}`,
  /** With what stands in it: a form that was refused is sent again, corrected. */
  view: (view: { readonly id: string; readonly state?: unknown }) =>
    `slack:view:${view.id}:${createHash('sha256')
      .update(JSON.stringify(view.state ?? null))
      .digest('hex')
      .slice(0, 16)}`,
  message: (channel: string, ts: string) => `slack:message:${channel}:${ts}`,
  step: (executionId: string) => `slack:function:${executionId}`,
} as const;

const interactionSchema = z.union([
  actionSchema.extend({ type: z.literal('block_actions') }),
  z.looseObject({
    type: z.enum(['shortcut', 'message_action']),
    trigger_id: z.string(),
    team: actionSchema.shape.team,
    enterprise: actionSchema.shape.enterprise,
    user: actionSchema.shape.user,
  }),
]);
const viewSchema = submissionSchema.extend({ type: z.literal('view_submission') });
const stepSchema = z.looseObject({ type: z.literal('function_executed'), function_execution_id: z.string() });

interface Arrived {
  readonly workspaceId: string;
  readonly key: string;
  /** The acknowledgement of a form says what is wrong with it: only who has read it can give it. */
  readonly isForm: boolean;
}

/** By the key that its work claims, too. @returns undefined for what nobody would miss, such as a glance at App Home. */
function readArrived(body: { readonly [name: string]: unknown }, botUserId: string | undefined): Arrived | undefined {
  const view = viewSchema.safeParse(body);
  if (view.success) return arrived(workspaceOf(view.data), keys.view(view.data.view), true);
  const interaction = interactionSchema.safeParse(body);
  if (interaction.success) return arrived(workspaceOf(interaction.data), keys.trigger(interaction.data.trigger_id));
  const slash = slashSchema.safeParse(body);
  if (slash.success) return arrived(workspaceOfSlash(slash.data), keys.trigger(slash.data.trigger_id));
  const said = messageEventSchema.safeParse(body.event);
  if (said.success && isOverheard(said.data, botUserId ?? botUserOf(body))) return undefined;
  if (said.success) return arrived(workspaceOfEvent(body), keys.message(said.data.channel, said.data.ts));
  const step = stepSchema.safeParse(body.event);
  if (step.success) return arrived(workspaceOfEvent(body), keys.step(step.data.function_execution_id));
  return undefined;
}

/** What people say in a channel to each other. A mention of us comes a second time, as an event of its own. */
const isOverheard = (
  { type, channel, channel_type, thread_ts, text }: MessageEvent,
  botUserId: string | undefined,
): boolean =>
  type === 'message' &&
  !isDirect(channel) &&
  channel_type !== 'im' &&
  thread_ts === undefined &&
  (botUserId === undefined || !text.includes(`<@${botUserId}`));

const arrived = (workspaceId: string | undefined, key: string, isForm = false) =>
  workspaceId === undefined ? undefined : { workspaceId, key, isForm };

/** The tokens that Slack sends along stay out of the database. */
function withoutTokens(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTokens);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => (secret.has(name) ? [] : [[name, withoutTokens(inner)]])),
  );
}
const secret = new Set(['token', 'bot_access_token']);

const bodySchema = z.record(z.string(), z.unknown());

export function createArrivals({ inbox, process, botUserId }: ArrivalsOptions): Arrivals {
  const current = new AsyncLocalStorage<Promise<unknown>[]>();
  const left = new Map<string, { readonly begun: boolean }>();

  /** Through Bolt, and until all that this set going is done. */
  async function work(event: ReceiverEvent) {
    const going: Promise<unknown>[] = [];
    await current.run(going, () => process(event));
    await Promise.all(going);
  }

  return {
    async take(event) {
      const arrived = readArrived(event.body, botUserId());
      if (arrived === undefined) return process(event);
      const { isForm, ...known } = arrived;
      const kept = inbox.keep({ ...known, payload: withoutTokens(event.body) });
      if (!isForm) {
        await kept.written;
        await event.ack();
      }
      if (!(await kept.ours)) {
        // Another replica's, or sent again: it is being worked on, or done.
        if (isForm) await event.ack();
        return;
      }
      await work(isForm ? event : { ...event, ack: async () => {} }).finally(() => inbox.done(known));
    },

    began(doing) {
      current.getStore()?.push(doing);
    },

    async redo({ key, payload, begun }) {
      const body = bodySchema.safeParse(payload);
      if (!body.success) return;
      left.set(key, { begun });
      await work({ body: body.data, ack: async () => {} }).finally(() => left.delete(key));
    },

    isLeft: (key) => left.has(key),
    wasCutShort: (key) => left.get(key)?.begun === true,
  };
}
