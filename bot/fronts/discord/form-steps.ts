// A form in use: its choices redraw the card, its buttons open modals, and what a modal brings is sent or kept on the card.
import {
  type APIMessageComponentInteraction,
  type APIModalSubmitInteraction,
  ComponentType,
  InteractionResponseType,
} from 'discord.js';
import { UserError } from '../../../engine/index.ts';
import type { Call, FieldValue } from '../../chat/message.ts';
import { apology } from '../../chat/reply.ts';
import { type After, within } from '../within.ts';
import { toRemote } from './asked.ts';
import { createCustomIds, hashOf, type Meaning, type Record } from './custom-id.ts';
import { type Exchange, exchangeOf } from './exchange.ts';
import { buildModal, type FormBlock, type FormState, layOut, parts, valuesOf } from './forms.ts';
import { limits } from './limits.ts';
import type { Posts } from './posts.ts';
import type { Arrival, Reception } from './reception.ts';
import { renderReply } from './render.ts';
import type { Calls } from './rest.ts';
import type { Threads } from './threads.ts';
import type { RemoteFile } from './work.ts';

/** The part of a form that a component is. */
type FormPart = Extract<Meaning, { kind: 'form' }>;

export interface FormStepsOptions {
  readonly calls: Calls;
  readonly posts: Pick<Posts, 'keep' | 'whisper'>;
  readonly reception: Reception;
  readonly threads: Pick<Threads, 'atNewMessage'>;
  readonly recordOf: (workspaceId: string, id: string) => Promise<Record | undefined>;
  readonly after: After;
}

export interface FormSteps {
  /** A button that opens a modal was pressed. */
  open(interaction: APIMessageComponentInteraction, arrival: Arrival, part: FormPart): Promise<void>;
  /** Something was chosen on the card. */
  choose(interaction: APIMessageComponentInteraction, part: FormPart, exchange: Exchange): Promise<void>;
  /** A modal was sent. @param part undefined for one that is not ours (any more). */
  submit(
    interaction: APIModalSubmitInteraction,
    arrival: Arrival,
    exchange: Exchange,
    part: FormPart | undefined,
  ): Promise<void>;
}

export const outOfDate = () =>
  new UserError('This button is out of date.', 'Ask again: the new answer has fresh ones.');
const tooSlow = () => new UserError('I was too busy to open the form.', 'Press the button once more.');

interface KeptForm {
  readonly record: Extract<Record, { kind: 'form' }>;
  readonly form: FormBlock;
  readonly state: FormState;
}

export function createFormSteps({ calls, posts, reception, threads, recordOf, after }: FormStepsOptions): FormSteps {
  async function read(workspaceId: string, { formId, stateId }: FormPart): Promise<KeptForm | undefined> {
    const [form, state] = await Promise.all([recordOf(workspaceId, formId), recordOf(workspaceId, stateId)]);
    return form?.kind === 'form' && state?.kind === 'state'
      ? { record: form, form: form.form, state: state.state }
      : undefined;
  }

  async function redraw(
    { message }: APIMessageComponentInteraction | APIModalSubmitInteraction,
    { origin, token }: Exchange,
    { record }: KeptForm,
    state: FormState,
  ) {
    if (token === undefined) return;
    const { pages, keepsakes } = renderReply(record.reply, {
      sectionUrl: () => undefined,
      fileBytes: origin.fileBytes,
      formState: state,
    });
    await posts.keep(origin.workspaceId, keepsakes);
    const page = pages.find(({ components }) => JSON.stringify(components).includes(hashOf(record)));
    if (page === undefined) return;
    const keep = (message?.attachments ?? []).map(({ id }) => id);
    await calls.editAnswer(token, '@original', { components: page.components, files: [], keep });
  }

  async function send(
    interaction: APIMessageComponentInteraction | APIModalSubmitInteraction,
    arrival: Arrival,
    exchange: Exchange,
    { form, state }: Omit<KeptForm, 'record'>,
    files: ReadonlyMap<string, RemoteFile>,
  ) {
    const filled: Call = { ...form.call, args: { ...form.call.args, ...state } };
    const named = [...files.values()][0]?.name;
    const started = await threads.atNewMessage(exchange, filled, true, named);
    await reception.answer(interaction, arrival, started, files, (fetched) => {
      for (const [id, { name }] of fetched) {
        const field = form.fields.find((one) => one.id === id);
        if (field?.kind === 'file' && !field.accept.some((ending) => name.toLowerCase().endsWith(ending))) {
          throw new UserError(
            `${name} can't be read: it must end in ${field.accept.join(', ')}.`,
            'Save it in one of these formats and send it again.',
          );
        }
      }
      return { kind: 'form', call: form.call, values: valuesOf(form, state, fetched) };
    });
  }

  return {
    async open(interaction, arrival, part) {
      const { origin } = arrival;
      const found = await within(after, limits.interaction.lookUpMs, read(origin.workspaceId, part), 'late' as const);
      const form = found === 'late' ? undefined : found;
      const layout = form && layOut(form.form, form.state);
      const fields = part.part === parts.more ? layout?.more : layout?.asked;
      if (form !== undefined && fields !== undefined && fields.length > 0) {
        const customId = createCustomIds().form(part.formId, part.stateId, part.part);
        const data = buildModal(form.form, form.state, fields, customId);
        await reception.acknowledge(interaction, arrival, { type: InteractionResponseType.Modal, data });
        return;
      }
      await reception.hold(interaction, arrival);
      const acknowledged = await reception.acknowledge(interaction, arrival, {
        type: InteractionResponseType.DeferredMessageUpdate,
      });
      if (acknowledged === undefined) return;
      const exchange = exchangeOf(interaction, arrival, acknowledged.late);
      if (form !== undefined) await send(interaction, arrival, exchange, form, new Map());
      else {
        const why = found === 'late' ? tooSlow() : outOfDate();
        await reception.answer(interaction, arrival, exchange, new Map(), () => Promise.reject(why));
      }
    },

    async choose(interaction, part, exchange) {
      const { workspaceId } = exchange.origin;
      const found = await read(workspaceId, part);
      const field = found?.form.fields[Number(part.part.slice(1))];
      const chosen = 'values' in interaction.data ? interaction.data.values : [];
      const value = field?.kind === 'choices' ? chosen : chosen[0];
      if (found === undefined || field === undefined || value === undefined)
        await posts.whisper(apology(outOfDate()), exchange, workspaceId);
      else await redraw(interaction, exchange, found, { ...found.state, [field.id]: value });
    },

    async submit(interaction, arrival, exchange, part) {
      const found = part === undefined ? undefined : await read(arrival.origin.workspaceId, part);
      if (found === undefined || part === undefined) {
        await reception.answer(interaction, arrival, exchange, new Map(), () => Promise.reject(outOfDate()));
        return;
      }
      const { values, files } = readModal(interaction, found.form);
      const state = { ...found.state, ...values };
      if (part.part === parts.more) await redraw(interaction, exchange, found, state);
      else await send(interaction, arrival, exchange, { form: found.form, state }, files);
    },
  };
}

/** What was filled in, by field id. */
function readModal({ data }: APIModalSubmitInteraction, form: FormBlock) {
  const values: { [fieldId: string]: FieldValue } = {};
  const takesSeveral = (id: string) => form.fields.some((field) => field.id === id && field.kind === 'choices');
  const files = new Map<string, RemoteFile>();
  for (const part of data.components) {
    const inputs = part.type === ComponentType.Label ? [part.component] : 'components' in part ? part.components : [];
    for (const input of inputs) {
      switch (input.type) {
        case ComponentType.TextInput:
          values[input.custom_id] = input.value;
          break;
        case ComponentType.RadioGroup:
          if (input.value !== null) values[input.custom_id] = input.value;
          break;
        case ComponentType.StringSelect:
          if (takesSeveral(input.custom_id)) values[input.custom_id] = input.values;
          else if (input.values[0] !== undefined) values[input.custom_id] = input.values[0];
          break;
        case ComponentType.CheckboxGroup:
          values[input.custom_id] = input.values;
          break;
        case ComponentType.FileUpload: {
          const attachment = data.resolved?.attachments?.[input.values[0] ?? ''];
          if (attachment !== undefined) files.set(input.custom_id, toRemote(attachment));
          break;
        }
      }
    }
  }
  return { values, files };
}
