// What Slack sends us, checked at the door: only the parts that are read. https://docs.slack.dev/reference/interaction-payloads
import { z } from 'zod';

const file = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  size: z.number().optional(),
  url_private_download: z.string().optional(),
  url_private: z.string().optional(),
});

export const messageEventSchema = z.looseObject({
  type: z.enum(['message', 'app_mention']),
  subtype: z.string().optional(),
  user: z.string().optional(),
  bot_id: z.string().optional(),
  text: z.string().default(''),
  ts: z.string(),
  channel: z.string(),
  channel_type: z.string().optional(),
  thread_ts: z.string().optional(),
  parent_user_id: z.string().optional(),
  files: z.array(file).optional(),
});
export type MessageEvent = z.output<typeof messageEventSchema>;

const eventBodySchema = z.looseObject({
  team_id: z.string().nullish(),
  enterprise_id: z.string().nullish(),
  authorizations: z
    .array(
      z.looseObject({
        team_id: z.string().nullish(),
        enterprise_id: z.string().nullish(),
        user_id: z.string().nullish(),
        is_bot: z.boolean().nullish(),
      }),
    )
    .nullish(),
});

const team = z.looseObject({ id: z.string() }).nullish();
const enterprise = team;
const user = z.looseObject({
  id: z.string(),
  name: z.string().optional(),
  username: z.string().optional(),
  team_id: z.string().nullish(),
});

export const slashSchema = z.looseObject({
  team_id: z.string().nullish(),
  enterprise_id: z.string().nullish(),
  channel_id: z.string(),
  user_id: z.string(),
  user_name: z.string().optional(),
  command: z.string(),
  text: z.string().default(''),
  trigger_id: z.string(),
  response_url: z.string().optional(),
});

const message = z.looseObject({
  ts: z.string(),
  thread_ts: z.string().optional(),
  text: z.string().default(''),
});

export const actionSchema = z.looseObject({
  team,
  enterprise,
  user,
  trigger_id: z.string(),
  response_url: z.string().optional(),
  channel: z.looseObject({ id: z.string() }).optional(),
  container: z
    .looseObject({
      type: z.string(),
      message_ts: z.string().optional(),
      thread_ts: z.string().optional(),
      is_ephemeral: z.boolean().optional(),
    })
    .optional(),
  message: message.optional(),
  view: z
    .looseObject({
      id: z.string(),
      type: z.string(),
      hash: z.string().optional(),
      private_metadata: z.string().optional(),
      callback_id: z.string().optional(),
      state: z.unknown().optional(),
    })
    .optional(),
  actions: z
    .array(
      z.looseObject({
        action_id: z.string(),
        value: z.string().optional(),
        selected_option: z.looseObject({ value: z.string() }).nullish(),
        selected_options: z.array(z.looseObject({ value: z.string() })).optional(),
      }),
    )
    .min(1),
});

export type PressedElement = z.output<typeof actionSchema>['actions'][number];

export const submissionSchema = z.looseObject({
  team,
  enterprise,
  user,
  trigger_id: z.string().optional(),
  view: z.looseObject({
    id: z.string(),
    hash: z.string().optional(),
    private_metadata: z.string(),
    state: z.unknown().optional(),
  }),
});

export const shortcutSchema = z.looseObject({
  team,
  enterprise,
  user,
  callback_id: z.string(),
  trigger_id: z.string(),
});

export const messageShortcutSchema = z.looseObject({
  team,
  enterprise,
  user,
  callback_id: z.string(),
  trigger_id: z.string(),
  response_url: z.string().optional(),
  channel: z.looseObject({ id: z.string() }),
  message,
});

export const homeOpenedSchema = z.looseObject({
  user: z.string(),
  tab: z.string().optional(),
  channel: z.string().optional(),
});

export const assistantStartedSchema = z.looseObject({
  assistant_thread: z.looseObject({ user_id: z.string(), channel_id: z.string(), thread_ts: z.string() }),
});

/** The workspace an interaction belongs to; for what belongs to none of an organisation's workspaces, the organisation. */
export const workspaceOf = (payload: {
  readonly team?: { readonly id: string } | null | undefined;
  readonly enterprise?: { readonly id: string } | null | undefined;
  readonly user: z.output<typeof user>;
}) => payload.team?.id ?? payload.user.team_id ?? payload.enterprise?.id ?? undefined;

export const workspaceOfSlash = ({ team_id, enterprise_id }: z.output<typeof slashSchema>) =>
  team_id ?? enterprise_id ?? undefined;

/** The workspace an event reached us in, or else the organisation. */
export function workspaceOfEvent(body: unknown): string | undefined {
  const read = eventBodySchema.safeParse(body);
  if (!read.success) return undefined;
  const { authorizations, team_id, enterprise_id } = read.data;
  const installed = authorizations?.[0];
  return installed?.team_id ?? team_id ?? installed?.enterprise_id ?? enterprise_id ?? undefined;
}

/** Who we are where the event reached us, as the event itself says. */
export function botUserOf(body: unknown): string | undefined {
  const read = eventBodySchema.safeParse(body);
  return read.data?.authorizations?.find(({ is_bot }) => is_bot === true)?.user_id ?? undefined;
}

/** What a person wrote, out of Slack's text: entities as characters, links as their address, mentions as names. */
export function readText(text: string, botUserId: string | undefined): string {
  const withoutUs =
    botUserId === undefined ? text : text.replaceAll(new RegExp(`<@${botUserId}(\\|[^>]*)?>`, 'g'), ' ');
  return withoutUs
    .replace(/<([@#!]?)([^>|]*)(?:\|([^>]*))?>/g, (_, kind: string, target: string, label: string | undefined) => {
      if (kind === '@') return `@${label ?? target}`;
      if (kind === '#') return `#${label ?? target}`;
      if (kind === '!') return `@${(label ?? target).replace(/^@/, '')}`;
      const address = target.replace(/^mailto:/, '');
      return label === undefined || label === address || address.endsWith(`//${label}`)
        ? address
        : `${label} (${address})`;
    })
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .trim();
}
