// What Discord refuses in a payload, written down by hand from its documentation, independent of the code under test.
// Field by field with zod (unknown fields are refused), then the rules that look at the whole.
import { z } from 'zod';

/** As Discord answers: an HTTP status with its own error code. */
export class Refused extends Error {
  readonly status: number;
  readonly code: number;
  readonly errors: unknown;
  constructor(status: number, code: number, message: string, errors?: unknown) {
    super(message);
    this.status = status;
    this.code = code;
    this.errors = errors;
  }
}

export const customId = z.string().min(1).max(100);
const snowflake = z.union([z.string().regex(/^\d{1,20}$/), z.number().int().min(0)]);
export const id = z.number().int().min(0).optional();
const emoji = z.strictObject({
  id: z.string().nullish(),
  name: z.string().nullish(),
  animated: z.boolean().optional(),
});

const button = z
  .strictObject({
    type: z.literal(2),
    id,
    style: z.number().int().min(1).max(6),
    label: z.string().max(80).optional(),
    emoji: emoji.optional(),
    custom_id: customId.optional(),
    url: z.url().max(512).optional(),
    sku_id: z.string().optional(),
    disabled: z.boolean().optional(),
  })
  .superRefine((it, context) => {
    const complain = (message: string) => context.addIssue({ code: 'custom', message });
    if (it.style <= 4 && it.custom_id === undefined) complain('A custom id is required');
    if (it.style <= 4 && it.url !== undefined) complain('A url is not allowed on this style');
    if (it.style === 5 && it.url === undefined) complain('A url is required');
    if (it.style === 5 && it.custom_id !== undefined) complain('A custom id and url cannot both be specified');
    if (!it.label && it.emoji === undefined && it.style !== 6) complain('A label or emoji is required');
  });

export const option = z.strictObject({
  label: z.string().min(1).max(100),
  value: z.string().min(1).max(100),
  description: z.string().max(100).optional(),
  emoji: emoji.optional(),
  default: z.boolean().optional(),
});

export const select = z
  .strictObject({
    type: z.literal(3),
    id,
    custom_id: customId,
    options: z.array(option).min(1).max(25),
    placeholder: z.string().max(150).optional(),
    min_values: z.number().int().min(0).max(25).optional(),
    max_values: z.number().int().min(1).max(25).optional(),
    disabled: z.boolean().optional(),
    required: z.boolean().optional(),
  })
  .superRefine(distinctOptions);

export function distinctOptions(
  it: { options: readonly { value: string; default?: boolean | undefined }[]; max_values?: number | undefined },
  context: z.RefinementCtx,
) {
  if (new Set(it.options.map(({ value }) => value)).size !== it.options.length)
    context.addIssue({ code: 'custom', path: ['options'], message: 'The specified option value is already used' });
  if (it.options.filter((one) => one.default === true).length > (it.max_values ?? 1))
    context.addIssue({ code: 'custom', path: ['options'], message: 'Too many options are selected by default' });
}

const row = z
  .strictObject({
    type: z.literal(1),
    id,
    components: z
      .array(z.union([button, select]))
      .min(1)
      .max(5),
  })
  .superRefine((it, context) => {
    if (it.components.some(({ type }) => type === 3) && it.components.length > 1)
      context.addIssue({ code: 'custom', path: ['components'], message: 'Component layout width exceeded' });
  });

export const textDisplay = z.strictObject({ type: z.literal(10), id, content: z.string().min(1).max(4000) });
const media = z.strictObject({ url: z.string().max(2048) });
const thumbnail = z.strictObject({
  type: z.literal(11),
  id,
  media,
  description: z.string().min(1).max(1024).optional(),
  spoiler: z.boolean().optional(),
});
const section = z.strictObject({
  type: z.literal(9),
  id,
  components: z.array(textDisplay).min(1).max(3),
  accessory: z.union([button, thumbnail]),
});
const gallery = z.strictObject({
  type: z.literal(12),
  id,
  items: z
    .array(
      z.strictObject({ media, description: z.string().min(1).max(1024).optional(), spoiler: z.boolean().optional() }),
    )
    .min(1)
    .max(10),
});
const file = z.strictObject({
  type: z.literal(13),
  id,
  file: z.strictObject({ url: z.string().regex(/^attachment:\/\//) }),
  spoiler: z.boolean().optional(),
});
const separator = z.strictObject({
  type: z.literal(14),
  id,
  divider: z.boolean().optional(),
  spacing: z.union([z.literal(1), z.literal(2)]).optional(),
});
const inContainer = z.union([row, section, textDisplay, gallery, file, separator]);
const container = z.strictObject({
  type: z.literal(17),
  id,
  components: z.array(inContainer).min(1),
  accent_color: z.number().int().min(0).max(0xffffff).nullish(),
  spoiler: z.boolean().optional(),
});
const topLevel = z.union([row, section, textDisplay, gallery, file, separator, container]);

const allowedMentions = z.strictObject({
  parse: z.array(z.enum(['roles', 'users', 'everyone'])).optional(),
  roles: z.array(z.string()).max(100).optional(),
  users: z.array(z.string()).max(100).optional(),
  replied_user: z.boolean().optional(),
});

const attachment = z.strictObject({
  id: snowflake,
  filename: z.string().min(1).max(1024).optional(),
  description: z.string().max(1024).optional(),
  title: z.string().max(1024).optional(),
});

const messageBody = z.strictObject({
  content: z.string().max(2000).nullish(),
  embeds: z.array(z.unknown()).max(10).nullish(),
  components: z.array(topLevel).nullish(),
  flags: z.number().int().nullish(),
  allowed_mentions: allowedMentions.nullish(),
  attachments: z.array(attachment).max(10).nullish(),
  tts: z.boolean().optional(),
  nonce: z.union([z.string().max(25), z.number()]).optional(),
  enforce_nonce: z.boolean().optional(),
  message_reference: z
    .strictObject({
      message_id: z.string(),
      channel_id: z.string().optional(),
      guild_id: z.string().optional(),
      fail_if_not_exists: z.boolean().optional(),
      type: z.number().optional(),
    })
    .optional(),
});
export type MessageBody = z.output<typeof messageBody>;

export const flagBits = { ephemeral: 64, componentsV2: 32768 } as const;

/** Where a body is sent to: each place takes other fields. */
export type Use = 'post' | 'edit' | 'answer' | 'answer-edit';

const fieldsOf: { readonly [U in Use]: readonly (keyof MessageBody)[] } = {
  post: [...Object.keys(messageBody.shape)] as (keyof MessageBody)[],
  edit: ['content', 'embeds', 'components', 'flags', 'allowed_mentions', 'attachments'],
  answer: ['content', 'embeds', 'components', 'flags', 'allowed_mentions', 'attachments', 'tts'],
  'answer-edit': ['content', 'embeds', 'components', 'flags', 'allowed_mentions', 'attachments'],
};

/** @throws Refused with Discord's code. @param uploaded names of the files in the request. @param present names of attachments the message has. */
export function checkMessage(
  body: unknown,
  use: Use,
  uploaded: readonly string[],
  before: { readonly isV2: boolean; readonly attachments: readonly { id: string; filename: string }[] } | undefined,
): MessageBody {
  const read = messageBody.safeParse(body);
  if (!read.success) throw invalid(read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  const message = read.data;
  const problems: string[] = [];
  for (const key of Object.keys(message)) {
    if (!fieldsOf[use].some((field) => field === key)) problems.push(`${key}: not a field here`);
  }
  const flags = message.flags ?? 0;
  const isV2 = (flags & flagBits.componentsV2) !== 0 || before?.isV2 === true;
  if ((flags & flagBits.ephemeral) !== 0 && use !== 'answer')
    problems.push('flags: ephemeral is for answers to interactions');
  if ((flags & ~(flagBits.ephemeral | flagBits.componentsV2 | 4 | 4096)) !== 0) problems.push('flags: unknown bits');
  const components = message.components ?? [];
  if (isV2 && (message.content || (message.embeds?.length ?? 0) > 0))
    problems.push('content: MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2');
  if (!isV2 && components.some(({ type }) => type !== 1)) problems.push('components: need the IS_COMPONENTS_V2 flag');
  if (!isV2 && components.length > 5) problems.push('components: at most 5 rows');

  const all = components.flatMap(walk);
  if (all.length > 40) problems.push(`components: ${all.length} in all, at most 40`);
  const characters = all.reduce((sum, it) => sum + (it.type === 10 ? it.content.length : 0), 0);
  if (characters > 4000) problems.push(`components: ${characters} characters of text, at most 4000`);
  const ids = all.flatMap((it) => ('custom_id' in it && it.custom_id !== undefined ? [it.custom_id] : []));
  if (new Set(ids).size !== ids.length) problems.push('components: COMPONENT_CUSTOM_ID_DUPLICATED');

  const listed = message.attachments ?? [];
  const kept = listed.flatMap((one) => before?.attachments.find((old) => old.id === String(one.id)) ?? []);
  const fresh = listed.filter((one) => !kept.some((old) => old.id === String(one.id)));
  for (const one of fresh) {
    if (uploaded[Number(one.id)] === undefined) problems.push(`attachments: ${one.id} was not uploaded`);
  }
  const names = new Set([...kept.map(({ filename }) => filename), ...uploaded]);
  if (uploaded.length > 10) problems.push('files: at most 10');
  for (const url of all.flatMap(urlsOf)) {
    if (!url.startsWith('attachment://')) {
      if (!/^https?:\/\//.test(url)) problems.push(`components: ${url} is no address`);
    } else if (!names.has(url.slice('attachment://'.length)))
      problems.push(`components: UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND ${url}`);
  }
  if (problems.length > 0) throw invalid(problems);

  const empty =
    !message.content &&
    components.length === 0 &&
    listed.length === 0 &&
    uploaded.length === 0 &&
    (message.embeds?.length ?? 0) === 0;
  if (empty && (use === 'post' || use === 'answer')) throw new Refused(400, 50006, 'Cannot send an empty message');
  return message;
}

type Top = z.output<typeof topLevel>;
type Nested = Top | z.output<typeof button> | z.output<typeof select> | z.output<typeof thumbnail>;

function walk(it: Nested): readonly Nested[] {
  const inside: readonly Nested[] = 'components' in it ? it.components : [];
  const accessory: readonly Nested[] = it.type === 9 ? [it.accessory] : [];
  return [it, ...[...inside, ...accessory].flatMap(walk)];
}

function urlsOf(it: Nested): readonly string[] {
  if (it.type === 12) return it.items.map((item) => item.media.url);
  if (it.type === 13) return [it.file.url];
  return it.type === 11 ? [it.media.url] : [];
}

export const invalid = (problems: readonly string[]) =>
  new Refused(400, 50035, `Invalid Form Body: ${problems.join('; ')}`, {
    _errors: problems.map((message) => ({ message })),
  });
