// Forms on Discord. A small one is one modal. A modal has five fields and knows no conditions, so a larger one is a card:
// its choices are selects that redraw the card, and buttons open modals for the fields that apply.
import {
  type APIComponentInLabel,
  type APIComponentInMessageActionRow,
  type APILabelComponent,
  type APIModalInteractionResponseCallbackData,
  ButtonStyle,
  ComponentType,
  TextInputStyle,
} from 'discord.js';
import { shorten } from '../../chat/escape.ts';
import type { Block, Field, FieldValue, Option, Reply } from '../../chat/message.ts';
import type { CustomIds } from './custom-id.ts';
import { limits } from './limits.ts';
import { escapeText } from './markdown.ts';

export type FormBlock = Extract<Block, { kind: 'form' }>;
/** What stands in a form now, by field id; files are never in it. */
export type FormState = { readonly [fieldId: string]: FieldValue };

/** What a form's component does: send (opens the modal that sends), more (opens the other one), or the choice in field n. */
export const parts = { send: 'send', more: 'more', choice: (index: number) => `c${index}` } as const;

export function initialState(form: FormBlock): FormState {
  return Object.fromEntries(
    form.fields.flatMap((field) =>
      'value' in field && field.value !== undefined
        ? [[field.id, field.kind === 'choices' ? field.value : String(field.value)]]
        : [],
    ),
  );
}

export function isShown({ when }: Field, state: FormState): boolean {
  return when === undefined || listOf(state[when.field]).some((value) => when.is.includes(value));
}

const listOf = (value: FieldValue | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

type Choosing = Extract<Field, { kind: 'choice' | 'choices' }>;
const isChoosing = (field: Field): field is Choosing => field.kind === 'choice' || field.kind === 'choices';

export interface Layout {
  /** Shown as selects on the card. */
  readonly choices: readonly Choosing[];
  /** Asked by the modal that sends. */
  readonly asked: readonly Field[];
  /** Asked by the second modal; they have values without it. */
  readonly more: readonly Field[];
}

export function layOut(form: FormBlock, state: FormState): Layout {
  if (form.fields.length <= limits.modal.labels) return { choices: [], asked: form.fields, more: [] };
  const choices = form.fields.filter(isChoosing);
  const open = form.fields.filter((field) => !isChoosing(field) && isShown(field, state));
  const ordered = [...open.filter(needsAnswer), ...open.filter((field) => !needsAnswer(field))];
  return {
    choices: choices.filter((field) => isShown(field, state)),
    asked: ordered.slice(0, limits.modal.labels),
    more: ordered.slice(limits.modal.labels),
  };
}

const needsAnswer = (field: Field) => field.required && !('value' in field && field.value !== undefined);

/** A piece of a message that is either words or a row of components. */
export type FormPiece =
  | { readonly kind: 'text'; readonly content: string }
  | { readonly kind: 'row'; readonly components: APIComponentInMessageActionRow[] };

/** @param reply what the form stands in. */
export function drawForm(form: FormBlock, state: FormState, reply: Reply, ids: CustomIds): readonly FormPiece[] {
  const formId = ids.keep({ kind: 'form', form, reply });
  const stateId = ids.keep({ kind: 'state', state });
  const { choices, asked, more } = layOut(form, state);
  const button = (label: string, part: string, style: ButtonStyle.Primary | ButtonStyle.Secondary) => ({
    type: ComponentType.Button as const,
    style,
    label: shorten(label, limits.button.labelCharacters),
    custom_id: ids.form(formId, stateId, part),
  });
  return [
    { kind: 'text', content: `### ${escapeText(form.title)}` },
    ...choices.flatMap((field): readonly FormPiece[] => [
      { kind: 'text', content: `**${escapeText(field.label)}**${hintOf(field)}` },
      {
        kind: 'row',
        components: [
          {
            type: ComponentType.StringSelect,
            custom_id: ids.form(formId, stateId, parts.choice(form.fields.indexOf(field))),
            options: optionsOf(field, state),
            ...(field.kind === 'choices' ? countsOf(field) : {}),
          },
        ],
      },
    ]),
    { kind: 'text', content: summarise(choices.length === 0 ? form.fields : [...asked, ...more], state) },
    {
      kind: 'row',
      components: [
        button(form.submitLabel, parts.send, ButtonStyle.Primary),
        ...(more.length === 0 ? [] : [button('More settings', parts.more, ButtonStyle.Secondary)]),
      ],
    },
  ];
}

/** How many may be chosen. */
const countsOf = ({ required, options }: Extract<Field, { kind: 'choices' }>) => ({
  min_values: required ? 1 : 0,
  max_values: Math.min(options.length, limits.select.options),
});

const hintOf = ({ hint }: Field) => (hint === undefined ? '' : `\n-# ${escapeText(hint)}`);

/** `Epochs 3 · Learning rate auto`, and the labels of what has no value yet. */
function summarise(fields: readonly Field[], state: FormState): string {
  const shown = fields.map((field) => {
    const value = state[field.id];
    const words = isChoosing(field)
      ? listOf(value)
          .map((one) => field.options.find((option) => option.value === one)?.label ?? one)
          .join(', ')
      : String(value ?? '');
    const label = escapeText(field.label);
    if (!words) return needsAnswer(field) ? `${label} (asked next)` : label;
    return `${label} **${escapeText(shorten(words, 40))}**`;
  });
  return shown.length === 0 ? '-# Nothing else to fill in.' : `-# ${shown.join(' · ')}`;
}

function optionsOf(field: Choosing, state: FormState) {
  const chosen = listOf(state[field.id] ?? field.value);
  return fewer(field.options).map(({ label, value, description }) => ({
    label: shorten(label, limits.option.labelCharacters),
    value: value.slice(0, limits.option.valueCharacters),
    ...(description === undefined ? {} : { description: shorten(description, limits.option.descriptionCharacters) }),
    default: chosen.includes(value),
  }));
}

/** The first options and always the last, which is the way out ("my own file"). */
function fewer(options: readonly Option[]): readonly Option[] {
  if (options.length <= limits.select.options) return options;
  return [...options.slice(0, limits.select.options - 1), ...options.slice(-1)];
}

export function buildModal(
  form: FormBlock,
  state: FormState,
  fields: readonly Field[],
  customId: string,
): APIModalInteractionResponseCallbackData {
  return {
    custom_id: customId,
    title: shorten(form.title, limits.modal.titleCharacters),
    components: fields.slice(0, limits.modal.labels).map((field) => labelled(form, field, state)),
  };
}

function labelled(form: FormBlock, field: Field, state: FormState): APILabelComponent {
  const description = [conditionOf(form, field), rangeOf(field), field.hint].filter(Boolean).join('; ');
  return {
    type: ComponentType.Label,
    label: shorten(field.label, limits.modal.labelCharacters),
    ...(description === '' ? {} : { description: shorten(description, limits.modal.descriptionCharacters) }),
    component: inputFor(field, state),
  };
}

/** A modal can't hide a field, so it says when the field counts. */
function conditionOf(form: FormBlock, { when }: Field): string {
  if (when === undefined || form.fields.length > limits.modal.labels) return '';
  const other = form.fields.find(({ id }) => id === when.field);
  const names = when.is.map((value) =>
    other !== undefined && isChoosing(other)
      ? (other.options.find((option) => option.value === value)?.label ?? value)
      : value,
  );
  return `for ${names.join(' or ')} only`;
}

function rangeOf(field: Field): string {
  if (field.kind === 'number') return `a ${field.integer ? 'whole ' : ''}number from ${field.min} to ${field.max}`;
  return field.kind === 'file' ? `ends in ${field.accept.join(', ')}` : '';
}

function inputFor(field: Field, state: FormState): APIComponentInLabel {
  const required = field.required && field.when === undefined;
  const value = String(state[field.id] ?? '');
  switch (field.kind) {
    case 'choice': {
      const options = optionsOf(field, state);
      const few = options.length >= limits.radio.leastOptions && options.length <= limits.radio.options;
      return few
        ? { type: ComponentType.RadioGroup, custom_id: field.id, options, required: field.required }
        : { type: ComponentType.StringSelect, custom_id: field.id, options, required: field.required };
    }
    case 'choices': {
      const options = optionsOf(field, state);
      const shared = { custom_id: field.id, options, required: field.required, ...countsOf(field) };
      return options.length <= limits.checkboxes.options
        ? { type: ComponentType.CheckboxGroup, ...shared }
        : { type: ComponentType.StringSelect, ...shared };
    }
    case 'file':
      return {
        type: ComponentType.FileUpload,
        custom_id: field.id,
        min_values: field.required ? 1 : 0,
        max_values: 1,
        required: field.required,
      };
    case 'number':
    case 'text': {
      const longest = Math.min(
        (field.kind === 'text' ? field.maxLength : 40) ?? limits.textInput.valueCharacters,
        limits.textInput.valueCharacters,
      );
      const placeholder = field.kind === 'text' ? field.placeholder : undefined;
      return {
        type: ComponentType.TextInput,
        custom_id: field.id,
        style:
          longest > 200 && field.kind === 'text' && field.required ? TextInputStyle.Paragraph : TextInputStyle.Short,
        required: required && value === '',
        max_length: longest,
        ...(value === '' ? {} : { value: value.slice(0, longest) }),
        ...(placeholder === undefined
          ? {}
          : { placeholder: shorten(placeholder, limits.textInput.placeholderCharacters) }),
      };
    }
  }
}

/** What is sent of what was filled in: fields that do not apply are left out, whatever stands in them. */
export function valuesOf<File>(
  form: FormBlock,
  state: FormState,
  files: ReadonlyMap<string, File>,
): { readonly [fieldId: string]: FieldValue | File } {
  return Object.fromEntries(
    form.fields
      .filter((field) => isShown(field, state))
      .flatMap((field): readonly (readonly [string, FieldValue | File])[] => {
        const value = files.get(field.id) ?? state[field.id];
        return value === undefined || value === '' ? [] : [[field.id, value]];
      }),
  );
}
