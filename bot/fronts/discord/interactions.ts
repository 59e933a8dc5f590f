// Slash commands, menus, buttons, selects, modals, suggestions: acknowledged at once, then worked on.
import {
  type APIApplicationCommandAutocompleteInteraction,
  type APIApplicationCommandInteraction,
  type APIInteraction,
  type APIMessageComponentInteraction,
  type APIModalSubmitInteraction,
  InteractionResponseType,
  InteractionType,
} from 'discord.js';
import { type Engine, UserError } from '../../../engine/index.ts';
import type { Command } from '../../chat/command.ts';
import type { Call } from '../../chat/message.ts';
import { apology, aside, text } from '../../chat/reply.ts';
import type { FrontInbox } from '../inbox.ts';
import { type After, within } from '../within.ts';
import { type Asked, createReadAsked } from './asked.ts';
import { type Meaning, type Record, readCustomId, readRecord } from './custom-id.ts';
import { keptKind } from './drafts.ts';
import { type Exchange, exchangeOf, isFresh, tokenOf } from './exchange.ts';
import { createFormSteps, outOfDate } from './form-steps.ts';
import { parts } from './forms.ts';
import type { LeftBehind } from './left-behind.ts';
import { limits } from './limits.ts';
import { originOf } from './origin.ts';
import { type Posts, privateCommand } from './posts.ts';
import { type Acknowledged, type Arrival, createReception } from './reception.ts';
import type { Calls } from './rest.ts';
import { slashOptions } from './slash-options.ts';
import type { Suggest } from './suggest.ts';
import { createThreads } from './threads.ts';
import type { Work } from './work.ts';

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
  readonly after: After;
  readonly log: {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

export type HandleInteraction = (interaction: APIInteraction, left?: LeftBehind) => Promise<void>;

/** @returns the handler of interactions; it never throws. */
export function createInteractions(options: InteractionsOptions): HandleInteraction {
  const { calls, posts, work, engine, log } = options;
  const reception = createReception(options);
  const threads = createThreads(options);
  const readAsked = createReadAsked(options);
  const forms = createFormSteps({ calls, posts, reception, threads, recordOf, after: options.after });
  const { acknowledge, answer } = reception;

  async function take(interaction: APIInteraction, left?: LeftBehind): Promise<void> {
    if (left === undefined && work.seen(interaction.id)) return;
    const origin = originOf(interaction);
    if (origin === undefined) return;
    const atMs = (left?.receivedAt ?? options.now()).getTime();
    const arrival: Arrival = { origin, atMs, left, held: false };
    try {
      await answerIt(interaction, arrival);
    } finally {
      await reception.done(interaction, arrival);
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

  async function suggest(interaction: APIApplicationCommandAutocompleteInteraction, arrival: Arrival) {
    const given = 'options' in interaction.data ? (interaction.data.options ?? []) : [];
    const focused = given.find((option) => 'focused' in option && option.focused === true);
    const option = slashOptions(interaction.data.name).find(({ name }) => name === focused?.name);
    const suggested = option?.kind === 'text' ? option.suggested : undefined;
    const typed = focused !== undefined && 'value' in focused ? String(focused.value) : '';
    const choices = suggested === undefined ? [] : await suggestions(suggested, typed, arrival.origin.workspaceId);
    await acknowledge(interaction, arrival, {
      type: InteractionResponseType.ApplicationCommandAutocompleteResult,
      data: { choices: [...choices] },
    });
  }

  /** None rather than too late. */
  async function suggestions(...of: Parameters<Suggest>): Promise<Awaited<ReturnType<Suggest>>> {
    try {
      return await within(options.after, limits.interaction.lookUpMs, options.suggest(...of), []);
    } catch (error) {
      log.warn({ err: error }, 'Discord: nothing could be suggested');
      return [];
    }
  }

  async function command(interaction: APIApplicationCommandInteraction, arrival: Arrival) {
    const { origin } = arrival;
    await reception.hold(interaction, arrival);
    const asked = readAsked(interaction);
    const title = asked?.forumId === undefined && origin.threads ? asked && threads.name(asked.call, false) : undefined;
    const acknowledged = await acknowledge(
      interaction,
      arrival,
      { type: InteractionResponseType.DeferredChannelMessageWithSource },
      title !== undefined,
    );
    if (acknowledged === undefined) return;
    const exchange: Exchange = {
      origin,
      arrivedAtMs: arrival.atMs,
      token: acknowledged.late ? undefined : tokenOf(interaction),
      sourceMessageId: undefined,
      answers: undefined,
      thinking: acknowledged.thinking,
      thread: undefined,
    };
    const place = await placeOf(exchange, acknowledged, title, asked);
    if ('refused' in place) {
      await answer(interaction, arrival, exchange, new Map(), () => Promise.reject(place.refused));
      return;
    }
    await answer(interaction, arrival, place, asked?.files ?? new Map(), async (files) => {
      if (asked === undefined) throw new UserError('That command is not one of mine any more.', 'Type / to see them.');
      return asked.say(files);
    });
  }

  /** Where a command goes on: a forum's post, a thread at its answer, or right here. */
  async function placeOf(
    exchange: Exchange,
    { messageId }: Acknowledged,
    title: string | undefined,
    asked: Asked | undefined,
  ): Promise<Exchange | { readonly refused: unknown }> {
    const { token } = exchange;
    try {
      if (asked?.forumId !== undefined) {
        exchange.thread = await threads.inForum(exchange, asked.call, asked.forumId);
        return exchange;
      }
    } catch (refused) {
      return { refused };
    }
    if (title === undefined || token === undefined || !isFresh(exchange, options.now().getTime())) return exchange;
    const answerId = messageId ?? (await answerOf(exchange));
    if (answerId !== undefined) exchange.thread = threads.atAnswer(exchange, token, answerId, title);
    return exchange;
  }

  /** Without an answer to hang it on there is no thread, and no harm done. */
  async function answerOf({ token }: Exchange): Promise<string | undefined> {
    try {
      return token === undefined ? undefined : (await calls.getAnswer(token)).id;
    } catch (error) {
      log.warn({ err: error }, 'Discord: the answer of a command could not be looked up; going on in the channel');
      return undefined;
    }
  }

  async function component(interaction: APIMessageComponentInteraction, arrival: Arrival) {
    const { origin } = arrival;
    const meaning = readCustomId(interaction.data.custom_id);
    if (meaning?.kind === 'form' && (meaning.part === parts.send || meaning.part === parts.more)) {
      return forms.open(interaction, arrival, meaning);
    }
    await reception.hold(interaction, arrival);
    const acknowledged = await acknowledge(interaction, arrival, {
      type: InteractionResponseType.DeferredMessageUpdate,
    });
    if (acknowledged === undefined) return;
    const exchange = exchangeOf(interaction, arrival, acknowledged.late);
    if (meaning?.kind === 'form') return forms.choose(interaction, meaning, exchange);
    const [chosen] = 'values' in interaction.data ? interaction.data.values : [];
    const call = await callOf(meaning, chosen, origin.workspaceId);
    if (call?.command === privateCommand) {
      await showPrivate(call, exchange);
      return;
    }
    const started = await threads.atNewMessage(exchange, call, false);
    await answer(interaction, arrival, started, new Map(), () => {
      if (call === undefined) throw outOfDate();
      return { kind: 'action', call };
    });
  }

  async function callOf(
    meaning: Meaning | undefined,
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

  async function modal(interaction: APIModalSubmitInteraction, arrival: Arrival) {
    await reception.hold(interaction, arrival);
    const meaning = readCustomId(interaction.data.custom_id);
    const isAnswer = interaction.message === undefined;
    const acknowledged = await acknowledge(interaction, arrival, {
      type: isAnswer
        ? InteractionResponseType.DeferredChannelMessageWithSource
        : InteractionResponseType.DeferredMessageUpdate,
    });
    if (acknowledged === undefined) return;
    const exchange = exchangeOf(interaction, arrival, acknowledged.late);
    exchange.thinking = isAnswer && acknowledged.thinking;
    await forms.submit(interaction, arrival, exchange, meaning?.kind === 'form' ? meaning : undefined);
  }

  return (interaction, left) =>
    take(interaction, left).catch((error: unknown) =>
      log.error({ err: error, interaction: interaction.id }, 'Discord: an interaction could not be handled'),
    );
}
