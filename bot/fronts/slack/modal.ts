// A form as a modal and back: fields become inputs, a field that depends on another comes and goes as that one changes.
import { z } from 'zod';
import type { Field, FieldValue, Option } from '../../chat/message.ts';
import { type FormBlock, keep } from './actions.ts';
import { type PlainText, plainText, type SlackOption } from './blocks.ts';
import { cut, limits } from './limits.ts';

export const formCallback = 'form';

/** What the modal remembers of where it came from. */
export interface Origin {
  /** Name of the kept form. */
  readonly form: string;
  readonly workspaceId: string;
  readonly conversationId: string;
}

const originSchema = z.strictObject({ form: z.string(), workspaceId: z.string(), conversationId: z.string() });
export const readOrigin = (metadata: string): Origin => originSchema.parse(JSON.parse(metadata));

const slackFileSchema = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  size: z.number().optional(),
  url_private_download: z.string().optional(),
  url_private: z.string().optional(),
});
export type SlackFile = z.output<typeof slackFileSchema>;

const stateSchema = z.looseObject({
  values: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        value: z.string().nullish(),
        selected_option: z.looseObject({ value: z.string() }).nullish(),
        selected_options: z.array(z.looseObject({ value: z.string() })).nullish(),
        files: z.array(slackFileSchema).nullish(),
      }),
    ),
  ),
});

/** What stands in the modal, by field id. A field left empty is not there. */
export interface Filled {
  readonly values: { readonly [fieldId: string]: FieldValue };
  readonly files: { readonly [fieldId: string]: SlackFile };
}

/** @param state `view.state` as Slack sends it. */
export function readFilled(form: FormBlock, state: unknown): Filled {
  const read = stateSchema.parse(state);
  const values: { [fieldId: string]: FieldValue } = {};
  const files: { [fieldId: string]: SlackFile } = {};
  for (const field of form.fields) {
    const entry = read.values[blockId(field)]?.[actionId];
    if (entry === undefined) continue;
    const [file] = entry.files ?? [];
    if (field.kind === 'file') {
      if (file !== undefined) files[field.id] = file;
    } else if (field.kind === 'choice') {
      const chosen = entry.selected_option?.value;
      const option = field.options.find((one) => optionKey(one.value) === chosen);
      if (option !== undefined) values[field.id] = option.value;
    } else if (field.kind === 'choices') {
      const chosen = new Set((entry.selected_options ?? []).map(({ value }) => value));
      values[field.id] = field.options.map(({ value }) => value).filter((value) => chosen.has(optionKey(value)));
    } else if (entry.value !== undefined && entry.value !== null) values[field.id] = entry.value;
  }
  return { values, files };
}

/** Whether the field is shown while these values stand in the others. */
function isShown(field: Field, form: FormBlock, values: Filled['values']): boolean {
  if (field.when === undefined) return true;
  const { field: other, is } = field.when;
  const master = form.fields.find((one) => one.id === other);
  const standing = values[other] ?? (master === undefined ? '' : initialOf(master));
  return typeof standing === 'string' ? is.includes(standing) : standing.some((value) => is.includes(value));
}

const initialOf = (field: Field): FieldValue =>
  field.kind === 'file' ? '' : field.kind === 'number' ? String(field.value) : (field.value ?? '');

/** @param values what stands in the modal already; its own defaults elsewhere. */
export function renderModal(form: FormBlock, origin: Origin, values: Filled['values'] = {}) {
  const masters = new Set(form.fields.flatMap((field) => field.when?.field ?? []));
  return {
    type: 'modal' as const,
    callback_id: formCallback,
    private_metadata: JSON.stringify(origin),
    title: plainText(form.title.length > limits.viewTitle ? 'Finetutor' : form.title),
    submit: plainText(cut(form.submitLabel, limits.viewButton)),
    close: plainText('Cancel'),
    blocks: [
      ...(form.title.length > limits.viewTitle
        ? [{ type: 'header' as const, text: plainText(cut(form.title, limits.header)) }]
        : []),
      ...form.fields
        .filter((field) => isShown(field, form, values))
        .slice(0, limits.blocksPerView - 1)
        .map((field) => renderField(filledIn(field, values), masters.has(field.id))),
    ],
  };
}

/** The field as it stands in the modal now. */
function filledIn(field: Field, values: Filled['values']): Field {
  const value = values[field.id];
  if (value === undefined || field.kind === 'file') return field;
  if (field.kind === 'choices') return { ...field, value: typeof value === 'string' ? [value] : value };
  if (typeof value !== 'string') return field;
  if (field.kind !== 'number') return { ...field, value };
  const number = Number(value);
  return Number.isFinite(number) && number >= field.min && number <= field.max ? { ...field, value: number } : field;
}

const actionId = 'value';
const blockId = (field: Field) => `field:${field.id}`.slice(0, 255);
/** Longer option values go by their hash. */
const optionKey = (value: string) =>
  value !== '' && value.length <= limits.optionValue ? value : `#${keep(value).name}`;

function renderField(field: Field, dispatches: boolean) {
  return {
    type: 'input' as const,
    block_id: blockId(field),
    label: plainText(cut(field.label, limits.inputLabel)),
    ...(field.hint === undefined ? {} : { hint: plainText(cut(field.hint, limits.inputLabel)) }),
    optional: !field.required,
    ...(dispatches ? { dispatch_action: true } : {}),
    element: renderElement(field),
  };
}

type Elements = { readonly [K in Field['kind']]: (field: Extract<Field, { kind: K }>) => object };

const elements: Elements = {
  text: ({ value, placeholder, maxLength = 200 }) => ({
    type: 'plain_text_input',
    action_id: actionId,
    multiline: maxLength > 200,
    max_length: Math.min(maxLength, limits.inputText),
    ...(value === undefined || value === '' ? {} : { initial_value: cut(value, limits.inputText) }),
    ...(placeholder === undefined ? {} : { placeholder: plainText(cut(placeholder, limits.placeholder)) }),
  }),
  number: ({ value, min, max, integer }) => ({
    type: 'number_input',
    action_id: actionId,
    is_decimal_allowed: !integer,
    initial_value: decimal(value),
    min_value: decimal(min),
    max_value: decimal(max),
  }),
  choice({ value, options }) {
    const shown = options.slice(0, limits.options).map(toSlackOption);
    const initial = shown.find((option) => option.value === optionKey(value));
    return {
      type: shown.length <= 4 ? 'radio_buttons' : 'static_select',
      action_id: actionId,
      options: shown,
      ...(initial === undefined ? {} : { initial_option: initial }),
    };
  },
  choices({ value, options }) {
    const shown = options.slice(0, limits.options).map(toSlackOption);
    const initial = shown.filter((option) => value.some((one) => optionKey(one) === option.value));
    return {
      type: shown.length <= limits.checkboxes ? 'checkboxes' : 'multi_static_select',
      action_id: actionId,
      options: shown,
      ...(initial.length === 0 ? {} : { initial_options: initial }),
    };
  },
  file: ({ accept }) => ({
    type: 'file_input',
    action_id: actionId,
    max_files: 1,
    ...(accept.length === 0 ? {} : { filetypes: accept.map((ending) => ending.replace(/^\./, '')) }),
  }),
};

const toSlackOption = ({ label, value, description }: Option): SlackOption => ({
  text: plainText(cut(label === '' ? '…' : label, limits.optionText)),
  value: optionKey(value),
  ...(description === undefined || description === '' ? {} : { description: describe(description) }),
});

const describe = (description: string): PlainText => plainText(cut(description, limits.optionText));

/** Slack takes numbers as plain decimals: `0.0001`, not `1e-4`. */
const decimal = (value: number) => value.toLocaleString('en', { useGrouping: false, maximumFractionDigits: 12 });

function renderElement<K extends Field['kind']>(field: Extract<Field, { kind: K }>): object {
  return elements[field.kind as K](field);
}

/** What can be told at once: a file that is too large or of another kind. Field block → what is wrong with it. */
export function findProblems(form: FormBlock, { files }: Filled): { readonly [blockId: string]: string } {
  const problems: { [blockId: string]: string } = {};
  for (const field of form.fields) {
    const file = files[field.id];
    if (field.kind !== 'file' || file === undefined) continue;
    const name = file.name ?? '';
    if ((file.size ?? 0) > field.maxBytes) {
      problems[blockId(field)] =
        `This file has ${inMebibytes(file.size ?? 0)}; at most ${inMebibytes(field.maxBytes)} fit.`;
    } else if (field.accept.length > 0 && !field.accept.some((ending) => name.toLowerCase().endsWith(ending))) {
      problems[blockId(field)] = `This file should end in ${field.accept.join(', ')}.`;
    }
  }
  return problems;
}

const inMebibytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
