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

const customId = z.string().min(1).max(100);
const snowflake = z.union([z.string().regex(/^\d{1,20}$/), z.number().int().min(0)]);
const id = z.number().int().min(0).optional();
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

const option = z.strictObject({
  label: z.string().min(1).max(100),
  value: z.string().min(1).max(100),
  description: z.string().max(100).optional(),
  emoji: emoji.optional(),
  default: z.boolean().optional(),
});

const select = z
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

function distinctOptions(
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

const textDisplay = z.strictObject({ type: z.literal(10), id, content: z.string().min(1).max(4000) });
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

const invalid = (problems: readonly string[]) =>
  new Refused(400, 50035, `Invalid Form Body: ${problems.join('; ')}`, {
    _errors: problems.map((message) => ({ message })),
  });

const radioOption = option.omit({ emoji: true });
const inLabel = z.union([
  z.strictObject({
    type: z.literal(4),
    id,
    custom_id: customId,
    style: z.union([z.literal(1), z.literal(2)]),
    min_length: z.number().int().min(0).max(4000).optional(),
    max_length: z.number().int().min(1).max(4000).optional(),
    required: z.boolean().optional(),
    value: z.string().max(4000).optional(),
    placeholder: z.string().max(100).optional(),
  }),
  select,
  z.strictObject({
    type: z.literal(19),
    id,
    custom_id: customId,
    min_values: z.number().int().min(0).max(10).optional(),
    max_values: z.number().int().min(1).max(10).optional(),
    required: z.boolean().optional(),
  }),
  z
    .strictObject({
      type: z.literal(21),
      id,
      custom_id: customId,
      options: z.array(radioOption).min(2).max(10),
      required: z.boolean().optional(),
    })
    .superRefine(distinctOptions),
  z
    .strictObject({
      type: z.literal(22),
      id,
      custom_id: customId,
      options: z.array(radioOption).min(1).max(10),
      min_values: z.number().int().min(0).max(10).optional(),
      max_values: z.number().int().min(1).max(10).optional(),
      required: z.boolean().optional(),
    })
    .superRefine(distinctOptions)
    .superRefine(({ options, min_values = 1, max_values = options.length, required = true }, context) => {
      const problems = [
        ...(min_values > max_values ? ['min_values is above max_values'] : []),
        ...(max_values > options.length ? ['max_values is above the number of options'] : []),
        ...(min_values === 0 && required ? ['min_values 0 needs required: false'] : []),
        ...(options.filter((option) => option.default).length > max_values ? ['too many defaults'] : []),
      ];
      for (const message of problems) context.addIssue({ code: 'custom', message });
    }),
]);
const label = z.strictObject({
  type: z.literal(18),
  id,
  label: z.string().min(1).max(45),
  description: z.string().min(1).max(100).optional(),
  component: inLabel,
});
const modal = z
  .strictObject({
    custom_id: customId,
    title: z.string().min(1).max(45),
    components: z
      .array(z.union([label, textDisplay]))
      .min(1)
      .max(5),
  })
  .superRefine(({ components }, context) => {
    const ids = components.flatMap((one) => (one.type === 18 ? [one.component.custom_id] : []));
    if (new Set(ids).size !== ids.length)
      context.addIssue({ code: 'custom', message: 'COMPONENT_CUSTOM_ID_DUPLICATED' });
    for (const one of components) {
      if (one.type !== 18 || one.component.type !== 4) continue;
      const { value = '', max_length = 4000 } = one.component;
      if (value.length > max_length)
        context.addIssue({ code: 'custom', message: `${one.label}: its value is longer than it may be` });
    }
  });
export type Modal = z.output<typeof modal>;

export function checkModal(data: unknown): Modal {
  const read = modal.safeParse(data);
  if (!read.success) throw invalid(read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  return read.data;
}

const choices = z.strictObject({
  choices: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(100),
        value: z.union([z.string().min(1).max(100), z.number()]),
        name_localizations: z.record(z.string(), z.string()).nullish(),
      }),
    )
    .max(25),
});
export type Choices = z.output<typeof choices>;

export function checkChoices(data: unknown): Choices {
  const read = choices.safeParse(data);
  if (!read.success) throw invalid(read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  return read.data;
}

const localizations = z.record(z.string(), z.string().min(1).max(32)).nullish();
const slashName = z
  .string()
  .regex(/^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u)
  .refine((name) => name === name.toLowerCase(), 'must be lower case');
const slashOption = z
  .strictObject({
    type: z.number().int().min(1).max(11),
    name: slashName,
    name_localizations: localizations,
    description: z.string().min(1).max(100),
    required: z.boolean().optional(),
    choices: z
      .array(
        z.strictObject({ name: z.string().min(1).max(100), value: z.union([z.string().min(1).max(100), z.number()]) }),
      )
      .max(25)
      .optional(),
    min_value: z.number().optional(),
    max_value: z.number().optional(),
    min_length: z.number().int().min(0).max(6000).optional(),
    max_length: z.number().int().min(1).max(6000).optional(),
    autocomplete: z.boolean().optional(),
    channel_types: z.array(z.number().int().min(0).max(16)).min(1).optional(),
  })
  .superRefine((it, context) => {
    if (it.autocomplete && it.choices !== undefined)
      context.addIssue({ code: 'custom', message: 'choices and autocomplete exclude each other' });
    if (it.type !== 4 && it.type !== 10 && (it.min_value ?? it.max_value) !== undefined)
      context.addIssue({ code: 'custom', message: 'bounds are for numbers' });
    if (it.type !== 7 && it.channel_types !== undefined)
      context.addIssue({ code: 'custom', message: 'channel types are for channels' });
    if (it.type !== 3 && (it.min_length ?? it.max_length) !== undefined)
      context.addIssue({ code: 'custom', message: 'lengths are for strings' });
  });
const command = z
  .strictObject({
    type: z.number().int().min(1).max(4).default(1),
    name: z.string().min(1).max(32),
    name_localizations: localizations,
    description: z.string().max(100).optional(),
    options: z.array(slashOption).max(25).optional(),
    integration_types: z.array(z.number().int().min(0).max(1)).optional(),
    contexts: z.array(z.number().int().min(0).max(2)).optional(),
    default_member_permissions: z.string().nullish(),
    nsfw: z.boolean().optional(),
  })
  .superRefine((it, context) => {
    const complain = (message: string) => context.addIssue({ code: 'custom', message });
    if (it.type === 1) {
      for (const name of [it.name, ...Object.values(it.name_localizations ?? {})])
        if (!slashName.safeParse(name).success) complain(`${name}: no name for a slash command`);
      if (!it.description) complain('a description is required');
    } else if (it.description || (it.options?.length ?? 0) > 0)
      complain('a menu command has neither description nor options');
    const optional = (it.options ?? []).findIndex((one) => one.required !== true);
    if (optional !== -1 && (it.options ?? []).slice(optional).some((one) => one.required))
      complain('required options come first');
    if (new Set(it.options?.map(({ name }) => name)).size !== (it.options?.length ?? 0))
      complain('option names must differ');
  });
export type CommandBody = z.output<typeof command>;

export function checkCommand(body: unknown): CommandBody {
  const read = command.safeParse(body);
  if (!read.success) throw invalid(read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  return read.data;
}

const threadBody = z.strictObject({
  name: z.string().min(1).max(100),
  auto_archive_duration: z.union([z.literal(60), z.literal(1440), z.literal(4320), z.literal(10080)]).optional(),
  rate_limit_per_user: z.number().int().nullish(),
});

export function checkThread(body: unknown): z.output<typeof threadBody> {
  const read = threadBody.safeParse(body);
  if (!read.success) throw invalid(read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  return read.data;
}

const postBody = z.strictObject({
  name: z.string().min(1).max(100),
  auto_archive_duration: z.union([z.literal(60), z.literal(1440), z.literal(4320), z.literal(10080)]).optional(),
  applied_tags: z.array(z.string()).max(5).optional(),
  /** Checked as any message is. */
  message: z.looseObject({}),
});

/** A post in a forum. */
export function checkPost(body: unknown): z.output<typeof postBody> {
  const read = postBody.safeParse(body);
  if (!read.success) throw invalid(read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  return read.data;
}
