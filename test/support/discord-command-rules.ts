// What Discord refuses in commands, their suggestions, threads and forum posts, by hand from its documentation.
import { z } from 'zod';
import { invalid } from './discord-rules.ts';

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
