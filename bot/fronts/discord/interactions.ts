// Slash commands, menus, buttons, selects, modals, suggestions: acknowledged at once, then worked on.
import {
  type APIApplicationCommandAutocompleteInteraction,
  type APIApplicationCommandInteraction,
  type APIAttachment,
  type APIInteraction,
  type APIInteractionResponse,
  type APIMessageComponentInteraction,
  type APIModalSubmitInteraction,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ChannelType,
  ComponentType,
  InteractionResponseType,
  InteractionType,
  MessageFlags,
} from 'discord.js';
import { type Engine, UserError } from '../../../engine/index.ts';
import type { Command } from '../../chat/command.ts';
import { plain } from '../../chat/escape.ts';
import type { Call, FieldValue, Person, Place } from '../../chat/message.ts';
import { apology, aside, reply as publicReply, text } from '../../chat/reply.ts';
import type { FrontInbox } from '../inbox.ts';
import { createCustomIds, hashOf, type Record, readCustomId, readRecord } from './custom-id.ts';
import { keptKind } from './drafts.ts';
import { createThread, type Exchange, isFresh, type Thread } from './exchange.ts';
import { buildModal, type FormBlock, type FormState, layOut, parts, valuesOf } from './forms.ts';
import { openForumPost } from './forum.ts';
import { cutShort, type LeftBehind, type LeftInDiscord } from './left-behind.ts';
import { limits } from './limits.ts';
import { type Origin, originOf } from './origin.ts';
import { type Posts, privateCommand } from './posts.ts';
import { renderReply } from './render.ts';
import { type Calls, codeOf, codes, type InteractionToken } from './rest.ts';
import { contextMenu, readSlash, slashOptions } from './slash.ts';
import type { Suggest } from './suggest.ts';
import type { RemoteFile, Said, Work } from './work.ts';

export interface InteractionsOptions {
  readonly calls: Calls;
  readonly posts: Posts;
  readonly work: Work;
  readonly engine: Pick<Engine, 'conversations' | 'kept' | 'quizzes' | 'datasets' | 'tutor'>;
  readonly commands: readonly Command[];
  readonly suggest: Suggest;
  /** The bot's permissions in a channel, as far as they are known. */
  readonly bitsIn: (channelId: string) => bigint | undefined;
  readonly inbox: FrontInbox;
  /** Told how long each acknowledgement took. */
  readonly acknowledged: (delayMs: number) => void;
  readonly now: () => Date;
  readonly log: {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

export type HandleInteraction = (interaction: APIInteraction, left?: LeftBehind) => Promise<void>;

interface Arrival {
  readonly origin: Origin;
  readonly atMs: number;
  readonly left: LeftBehind | undefined;
  /** It is kept, by this process. */
  held: boolean;
}

/** @returns the handler of interactions; it never throws. */
export function createInteractions(options: InteractionsOptions): HandleInteraction {
  const { calls, posts, work, engine, commands, inbox, log } = options;

  async function take(interaction: APIInteraction, left?: LeftBehind): Promise<void> {
    if (left === undefined && work.seen(interaction.id)) return;
    const origin = originOf(interaction);
    if (origin === undefined) return;
    const atMs = (left?.receivedAt ?? options.now()).getTime();
    const arrival: Arrival = { origin, atMs, left, held: false };
    try {
      await answerIt(interaction, arrival);
    } finally {
      if (arrival.held) await inbox.done(eventOf(interaction, origin));
    }
  }

  function answerIt(interaction: APIInteraction, arrival: Arrival): Promise<void> | undefined {
    switch (interaction.type) {
      case InteractionType.ApplicationCommandAutocomplete:
        return suggest(interaction, arrival);
      case InteractionType.ApplicationCommand:
        return command(interaction, arrival);
      case InteractionType.MessageComponent:
        return component(interaction, arrival);
      case InteractionType.ModalSubmit:
        return modal(interaction, arrival);
    }
  }

  const eventOf = ({ id }: APIInteraction, { workspaceId }: Origin) => ({ workspaceId, key: `discord:${id}` });

  /** Keeps it before it is acknowledged. The database is not waited for: Discord takes one acknowledgement, and whose that is, answers. */
  async function hold(interaction: APIInteraction, arrival: Arrival) {
    if (arrival.left !== undefined) return;
    const payload: LeftInDiscord = { kind: 'interaction', interaction };
    arrival.held = true;
    await inbox.keep({ ...eventOf(interaction, arrival.origin), payload }).written;
  }

  const tokenOf = ({ application_id, id, token }: APIInteraction): InteractionToken => ({
    applicationId: application_id,
    interactionId: id,
    token,
  });

  /**
   * @returns undefined when somebody else has acknowledged it (another replica, or a redelivery): it is theirs.
   * Too late is not lost: the answer then goes out under the bot's own token.
   */
  async function acknowledge(
    interaction: APIInteraction,
    { atMs, left }: Arrival,
    response: APIInteractionResponse,
    wantsMessage = false,
  ): Promise<Acknowledged | undefined> {
    const answered = left === undefined ? undefined : await findAnswer(interaction, atMs);
    if (answered !== undefined) return answered;
    try {
      const messageId = await calls.acknowledge(tokenOf(interaction), response, wantsMessage);
      if (left === undefined) options.acknowledged(options.now().getTime() - atMs);
      return { messageId, late: false, thinking: thinks(response) };
    } catch (error) {
      if (codeOf(error) === codes.acknowledged) return undefined;
      log.warn({ err: error, interaction: interaction.id }, 'Discord: an acknowledgement was refused');
      return tooLate;
    }
  }

  /** What the process that ended had acknowledged goes on where it stood; undefined where it had not come that far. */
  async function findAnswer(interaction: APIInteraction, atMs: number): Promise<Acknowledged | undefined> {
    if (options.now().getTime() - atMs >= limits.interaction.tokenMs) return tooLate;
    try {
      const { id, flags = 0 } = await calls.getAnswer(tokenOf(interaction));
      return { messageId: id, late: false, thinking: (flags & MessageFlags.Loading) !== 0 };
    } catch (error) {
      log.warn({ err: error, interaction: interaction.id }, 'Discord: an interaction left behind had no answer yet');
      return undefined;
    }
  }

  async function suggest(interaction: APIApplicationCommandAutocompleteInteraction, arrival: Arrival) {
    const given = 'options' in interaction.data ? (interaction.data.options ?? []) : [];
    const focused = given.find((option) => 'focused' in option && option.focused === true);
    const option = slashOptions(interaction.data.name).find(({ name }) => name === focused?.name);
    const suggested = option?.kind === 'text' ? option.suggested : undefined;
    const typed = focused !== undefined && 'value' in focused ? String(focused.value) : '';
    const choices = suggested === undefined ? [] : await options.suggest(suggested, typed, arrival.origin.workspaceId);
    await acknowledge(interaction, arrival, {
      type: InteractionResponseType.ApplicationCommandAutocompleteResult,
      data: { choices: [...choices] },
    });
  }

  async function command(interaction: APIApplicationCommandInteraction, arrival: Arrival) {
    const { origin } = arrival;
    await hold(interaction, arrival);
    const asked = readCommand(interaction);
    const mayOpen =
      asked !== undefined &&
      asked.forumId === undefined &&
      origin.threads &&
      threadName(asked.call, false) !== undefined;
    const acknowledged = await acknowledge(
      interaction,
      arrival,
      { type: InteractionResponseType.DeferredChannelMessageWithSource },
      mayOpen,
    );
    if (acknowledged === undefined) return;
    const exchange: Mutable<Exchange> = {
      origin,
      arrivedAtMs: arrival.atMs,
      token: acknowledged.late ? undefined : tokenOf(interaction),
      sourceMessageId: undefined,
      answers: undefined,
      thinking: acknowledged.thinking,
      thread: undefined,
    };
    if (mayOpen && exchange.token !== undefined && isFresh(exchange, options.now().getTime())) {
      const messageId = acknowledged.messageId ?? (await calls.getAnswer(exchange.token)).id;
      exchange.thread = threadAtAnswer(exchange, exchange.token, messageId, threadName(asked.call, false) ?? '');
    }
    if (asked?.forumId !== undefined && !(await goToForum(interaction, arrival, exchange, asked, asked.forumId)))
      return;
    await answer(interaction, arrival, exchange, asked?.files ?? new Map(), async (files) => {
      if (asked === undefined) throw new UserError('That command is not one of mine any more.', 'Type / to see them.');
      return asked.say(files);
    });
  }

  /** Opens the post and leaves a link to it where it was asked for. @returns false when it could not, and that was said. */
  async function goToForum(
    interaction: APIInteraction,
    arrival: Arrival,
    exchange: Mutable<Exchange>,
    { call }: Asked,
    forumId: string,
  ): Promise<boolean> {
    const { person } = exchange.origin;
    const title = threadName(call, true) ?? `${call.command}: ${person.name}`;
    try {
      exchange.thread = await openForumPost({
        calls,
        forumId,
        name: title,
        about: call.command,
        starter: starter(title, person),
        bits: options.bitsIn(forumId),
      });
    } catch (error) {
      await answer(interaction, arrival, exchange, new Map(), () => Promise.reject(error));
      return false;
    }
    if (exchange.token !== undefined && exchange.thinking && isFresh(exchange, options.now().getTime())) {
      exchange.thinking = false;
      const { pages } = renderReply(publicReply(text('It goes on in its own post.')), nowhere);
      const link = { type: ComponentType.TextDisplay as const, content: `<#${exchange.thread.id}>` };
      await calls.editAnswer(exchange.token, '@original', {
        components: [...(pages[0]?.components ?? []), link],
        files: [],
      });
    }
    return true;
  }

  interface Asked {
    readonly forumId?: string | undefined;
    readonly call: Call;
    readonly files: ReadonlyMap<string, RemoteFile>;
    say(files: Parameters<Parameters<Work['run']>[2]>[0]): Promise<Said> | Said;
  }

  function readCommand({ data }: APIApplicationCommandInteraction): Asked | undefined {
    if (data.type === ApplicationCommandType.Message) {
      const content = data.resolved.messages[data.target_id]?.content ?? '';
      return readMenu(data.name, content);
    }
    if (data.type !== ApplicationCommandType.ChatInput) return undefined;
    const found = commands.find(({ name }) => name === data.name);
    if (found === undefined) return undefined;
    const filledIn = (data.options ?? []).flatMap((option) =>
      option.type === ApplicationCommandOptionType.Subcommand ||
      option.type === ApplicationCommandOptionType.SubcommandGroup
        ? []
        : [{ name: option.name, value: option.value }],
    );
    const { call, files, forumId } = readSlash(found, filledIn);
    // A question is said aloud: it is what a follow-up refers to.
    if (call.command === 'ask')
      return { call, files: new Map(), say: () => saidAloud(String(call.args.question ?? '')) };
    const remote = new Map(
      [...files].flatMap(([argument, id]) => {
        const attachment = data.resolved?.attachments?.[id];
        return attachment === undefined ? [] : [[argument, toRemote(attachment)] as const];
      }),
    );
    return {
      call,
      forumId,
      files: remote,
      say: (fetched) =>
        fetched.size === 0 ? { kind: 'action', call } : { kind: 'form', call, values: Object.fromEntries(fetched) },
    };
  }

  const saidAloud = (question: string): Said => ({ kind: 'message', text: `/ask ${question}`, attachments: [] });

  function readMenu(name: string, content: string): Asked | undefined {
    const files = new Map<string, RemoteFile>();
    if (name === contextMenu.explain) {
      const concept = content.trim();
      const call: Call = { command: 'explain', args: { concept } };
      const isConcept = concept.length <= longestConcept && !concept.includes('\n');
      return { call, files, say: () => (isConcept ? { kind: 'action', call } : saidAloud(concept)) };
    }
    if (name !== contextMenu.quiz) return undefined;
    return {
      call: { command: 'quiz', args: {} },
      files,
      async say() {
        const chapter = await chapterOf(content);
        return { kind: 'action', call: { command: 'quiz', args: chapter === undefined ? {} : { chapter } } };
      },
    };
  }

  /** The chapter a message is about, if it has a quiz. */
  async function chapterOf(content: string): Promise<string | undefined> {
    if (content.trim() === '') return undefined;
    const { citations, nearest } = await engine.tutor.ask(content.slice(0, longestMenuText), []);
    const about = [...citations, ...nearest].map(({ chapterId }) => chapterId);
    return about.find((id) => engine.quizzes.chapters.some(({ chapterId }) => chapterId === id));
  }

  async function component(interaction: APIMessageComponentInteraction, arrival: Arrival) {
    const { origin } = arrival;
    const meaning = readCustomId(interaction.data.custom_id);
    if (meaning?.kind === 'form' && (meaning.part === parts.send || meaning.part === parts.more)) {
      return openModal(interaction, arrival, meaning);
    }
    await hold(interaction, arrival);
    const acknowledged = await acknowledge(interaction, arrival, {
      type: InteractionResponseType.DeferredMessageUpdate,
    });
    if (acknowledged === undefined) return;
    const exchange = exchangeOf(interaction, arrival, acknowledged.late);
    if (meaning?.kind === 'form') {
      await choose(interaction, meaning, exchange);
      return;
    }
    const [chosen] = 'values' in interaction.data ? interaction.data.values : [];
    const call = await callOf(meaning, chosen, origin.workspaceId);
    if (call?.command === privateCommand) {
      await showPrivate(call, exchange);
      return;
    }
    await answer(interaction, arrival, await withThread(exchange, call, false), new Map(), () => {
      if (call === undefined) throw outOfDate();
      return { kind: 'action', call };
    });
  }

  const exchangeOf = (
    interaction: APIMessageComponentInteraction | APIModalSubmitInteraction,
    { origin, atMs }: Arrival,
    late: boolean,
  ): Exchange => ({
    origin,
    arrivedAtMs: atMs,
    token: late ? undefined : tokenOf(interaction),
    sourceMessageId: interaction.message?.id,
    answers: undefined,
    thinking: false,
    thread: undefined,
  });

  async function callOf(
    meaning: ReturnType<typeof readCustomId>,
    chosen: string | undefined,
    workspaceId: string,
  ): Promise<Call | undefined> {
    if (meaning?.kind === 'call') return meaning.call;
    if (meaning?.kind === 'select') return withArgument(meaning.call, meaning.argument, chosen);
    if (meaning?.kind !== 'kept') return undefined;
    const record = await recordOf(workspaceId, meaning.id);
    if (record?.kind === 'call') return record.call;
    if (record?.kind !== 'select') return undefined;
    const value = record.values === undefined ? chosen : record.values[Number(chosen)];
    return withArgument(record.call, record.argument, value);
  }

  const withArgument = (call: Call, argument: string, value: string | undefined): Call | undefined =>
    value === undefined ? undefined : { ...call, args: { ...call.args, [argument]: value } };

  async function recordOf(workspaceId: string, id: string): Promise<Record | undefined> {
    return readRecord(await engine.kept.get(workspaceId, keptKind, id));
  }

  async function showPrivate(call: Call, exchange: Exchange) {
    const { workspaceId, person } = exchange.origin;
    const record = await recordOf(workspaceId, String(call.args.id));
    const reply =
      record?.kind !== 'private'
        ? apology(outOfDate())
        : record.personId === person.id
          ? record.reply
          : aside(text('This is for somebody else.'));
    await posts.whisper(reply, exchange, workspaceId);
  }

  interface FormPart {
    readonly formId: string;
    readonly stateId: string;
    readonly part: string;
  }

  async function readForm(workspaceId: string, { formId, stateId }: FormPart) {
    const [form, state] = await Promise.all([recordOf(workspaceId, formId), recordOf(workspaceId, stateId)]);
    return form?.kind === 'form' && state?.kind === 'state'
      ? { record: form, form: form.form, state: state.state }
      : undefined;
  }

  /** A modal can only be the first answer, so this one is looked up before it is acknowledged: two rows by their key. */
  async function openModal(interaction: APIMessageComponentInteraction, arrival: Arrival, part: FormPart) {
    const { origin } = arrival;
    const found = await readForm(origin.workspaceId, part);
    const layout = found && layOut(found.form, found.state);
    const fields = part.part === parts.more ? layout?.more : layout?.asked;
    if (found !== undefined && fields !== undefined && fields.length > 0) {
      const customId = createCustomIds().form(part.formId, part.stateId, part.part);
      const data = buildModal(found.form, found.state, fields, customId);
      await acknowledge(interaction, arrival, { type: InteractionResponseType.Modal, data });
      return;
    }
    await hold(interaction, arrival);
    const acknowledged = await acknowledge(interaction, arrival, {
      type: InteractionResponseType.DeferredMessageUpdate,
    });
    if (acknowledged === undefined) return;
    const exchange = exchangeOf(interaction, arrival, acknowledged.late);
    if (found === undefined) await answer(interaction, arrival, exchange, new Map(), () => Promise.reject(outOfDate()));
    else await send(interaction, arrival, exchange, found.form, found.state, new Map());
  }

  /** A choice on a card: the same card, with what applies now. */
  async function choose(interaction: APIMessageComponentInteraction, part: FormPart, exchange: Exchange) {
    const found = await readForm(exchange.origin.workspaceId, part);
    const field = found?.form.fields[Number(part.part.slice(1))];
    const chosen = 'values' in interaction.data ? interaction.data.values : [];
    const value = field?.kind === 'choices' ? chosen : chosen[0];
    if (found === undefined || field === undefined || value === undefined) {
      await posts.whisper(apology(outOfDate()), exchange, exchange.origin.workspaceId);
      return;
    }
    await redraw(interaction, exchange, found, { ...found.state, [field.id]: value });
  }

  async function redraw(
    { message }: APIMessageComponentInteraction | APIModalSubmitInteraction,
    { origin, token }: Exchange,
    { record }: { readonly record: Extract<Record, { kind: 'form' }> },
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

  async function modal(interaction: APIModalSubmitInteraction, arrival: Arrival) {
    const { origin } = arrival;
    await hold(interaction, arrival);
    const meaning = readCustomId(interaction.data.custom_id);
    const acknowledged = await acknowledge(interaction, arrival, {
      type:
        interaction.message === undefined
          ? InteractionResponseType.DeferredChannelMessageWithSource
          : InteractionResponseType.DeferredMessageUpdate,
    });
    if (acknowledged === undefined) return;
    const exchange = exchangeOf(interaction, arrival, acknowledged.late);
    exchange.thinking = interaction.message === undefined && acknowledged.thinking;
    const found = meaning?.kind === 'form' ? await readForm(origin.workspaceId, meaning) : undefined;
    if (found === undefined || meaning?.kind !== 'form') {
      await answer(interaction, arrival, exchange, new Map(), () => Promise.reject(outOfDate()));
      return;
    }
    const { values, files } = readModal(interaction, found.form);
    const state = { ...found.state, ...values };
    if (meaning.part === parts.more) await redraw(interaction, exchange, found, state);
    else await send(interaction, arrival, exchange, found.form, state, files);
  }

  async function send(
    interaction: APIMessageComponentInteraction | APIModalSubmitInteraction,
    arrival: Arrival,
    exchange: Exchange,
    form: FormBlock,
    state: FormState,
    files: ReadonlyMap<string, RemoteFile>,
  ) {
    const filled: Call = { ...form.call, args: { ...form.call.args, ...state } };
    const named = [...files.values()][0]?.name;
    await answer(interaction, arrival, await withThread(exchange, filled, true, named), files, (fetched) => {
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

  /** Quizzes and runs get a thread of their own, where the bot may open one. */
  function threadName({ command: name, args }: Call, isForm: boolean, fileName?: string): string | undefined {
    if (name === 'quiz' && typeof args.chapter === 'string' && args.session === undefined) {
      const chapter = engine.quizzes.chapters.find(({ chapterId }) => chapterId === args.chapter);
      return `Quiz: ${chapter?.title ?? args.chapter}`;
    }
    if (name === 'battle')
      return isForm || args.chapters !== undefined || args.length !== undefined ? 'Quiz battle' : undefined;
    if (name !== 'finetune' || !isForm) return undefined;
    const sample = engine.datasets.samples.find(({ id }) => id === args.data);
    return `Fine-tuning: ${fileName ?? sample?.title ?? 'own data'}`;
  }

  function threadAtAnswer(exchange: Exchange, token: InteractionToken, messageId: string, name: string): Thread {
    return createThread({
      calls,
      parentId: exchange.origin.channelId,
      messageId,
      name,
      before: async () => {
        if (!exchange.thinking) return;
        exchange.thinking = false;
        await calls.editAnswer(token, '@original', starter(name, exchange.origin.person));
      },
      onRefused: (error) => log.warn({ err: error }, 'Discord: no thread could be opened; going on in the channel'),
    });
  }

  /** A used component has no answer of its own to hang a thread on: one is posted. */
  async function withThread(exchange: Exchange, call: Call | undefined, isForm: boolean, fileName?: string) {
    const name = call === undefined || !exchange.origin.threads ? undefined : threadName(call, isForm, fileName);
    const { token } = exchange;
    if (name === undefined || token === undefined || !isFresh(exchange, options.now().getTime())) return exchange;
    const { id } = await calls.followUp(token, starter(name, exchange.origin.person));
    return { ...exchange, thread: threadAtAnswer(exchange, token, id, name), starterId: id };
  }

  function starter(name: string, person: Person) {
    const { pages } = renderReply(
      { audience: 'everyone', blocks: [text(`**${plain(name)}** · ${plain(person.name, 60)}`)] },
      { sectionUrl: () => undefined, fileBytes: 0 },
    );
    return { components: pages[0]?.components ?? [], files: [] };
  }

  async function answer(
    interaction: APIInteraction,
    arrival: Arrival,
    exchange: Exchange & { readonly starterId?: string },
    files: ReadonlyMap<string, RemoteFile>,
    say: Asked['say'],
  ) {
    const { origin, token, thread } = exchange;
    const place: Place = {
      front: 'discord',
      workspaceId: origin.workspaceId,
      conversationId: thread?.id ?? origin.channelId,
      channelId: parentOf(interaction) ?? origin.channelId,
    };
    const { key } = eventOf(interaction, origin);
    const begun = arrival.left?.begun === true;
    await work.run({ key, place, person: origin.person, exchange }, begun ? new Map() : files, begun ? cutShort : say);
    try {
      if (token !== undefined && exchange.thinking) await calls.deleteAnswer(token, '@original');
      if (token !== undefined && exchange.starterId !== undefined && thread?.opened() === false) {
        await calls.deleteAnswer(token, exchange.starterId);
      }
    } catch (error) {
      log.warn({ err: error }, 'Discord: an unused answer could not be taken back');
    }
  }

  return (interaction, left) =>
    take(interaction, left).catch((error: unknown) =>
      log.error({ err: error, interaction: interaction.id }, 'Discord: an interaction could not be handled'),
    );
}

interface Acknowledged {
  readonly messageId: string | undefined;
  /** The token serves no more: what is said goes out under the bot's own. */
  readonly late: boolean;
  /** It shows "thinking…" until something replaces it. */
  readonly thinking: boolean;
}

const tooLate: Acknowledged = { messageId: undefined, late: true, thinking: false };

const thinks = ({ type }: APIInteractionResponse) => type === InteractionResponseType.DeferredChannelMessageWithSource;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const nowhere = { sectionUrl: () => undefined, fileBytes: 0 };
const longestConcept = 120;
const longestMenuText = 2000;

const outOfDate = () => new UserError('This button is out of date.', 'Ask again: the new answer has fresh ones.');

const toRemote = ({ url, filename, size }: APIAttachment): RemoteFile => ({ url, name: filename, bytes: size });

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

const threadTypes: ReadonlySet<number> = new Set([
  ChannelType.PublicThread,
  ChannelType.PrivateThread,
  ChannelType.AnnouncementThread,
]);

/** The channel of the thread it happened in. */
function parentOf({ channel }: APIInteraction): string | undefined {
  if (channel === undefined || !threadTypes.has(channel.type)) return undefined;
  return 'parent_id' in channel ? (channel.parent_id ?? undefined) : undefined;
}
