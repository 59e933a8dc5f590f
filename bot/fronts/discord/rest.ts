// Every request that goes out to Discord, by name: acknowledgements and answers under an interaction's token, the rest under
// the bot's own. Refusals are counted, and a circuit keeps us from repeating what is refused.
import {
  type APIChannel,
  type APIInteractionResponse,
  type APIMessage,
  type APIMessageTopLevelComponent,
  DiscordAPIError,
  HTTPError,
  MessageFlags,
  RateLimitError,
  type RawFile,
  REST,
  RESTEvents,
  Routes,
} from 'discord.js';
import type { Circuit } from '../circuit.ts';
import { createCircuit } from '../circuit.ts';
import { limits } from './limits.ts';
import { makeRequest } from './tolerance.ts';

/** A message as we send it. */
export interface Draft {
  readonly components: readonly APIMessageTopLevelComponent[];
  /** Sent along, as `attachment://name`. */
  readonly files: readonly { readonly name: string; readonly description?: string; readonly data: Buffer }[];
  /** Attachments of the message that stay, by id. */
  readonly keep?: readonly string[];
  /** Only the person who used the interaction sees it. */
  readonly private?: boolean;
  /** The message this one answers. */
  readonly answers?: string;
  /** Sent twice within minutes, it is posted once. */
  readonly nonce?: string;
}

/** Where an interaction's answers go. */
export interface InteractionToken {
  readonly applicationId: string;
  readonly interactionId: string;
  readonly token: string;
}

export interface Refusals {
  readonly unauthorized: number;
  readonly forbidden: number;
  readonly rateLimited: number;
}

/** Discord's error codes that change what we do. */
export const codes = {
  unknownChannel: 10003,
  unknownMessage: 10008,
  unknownInteraction: 10062,
  acknowledged: 40060,
  followUpsSpent: 40094,
  missingAccess: 50001,
  cannotMessageUser: 50007,
  missingPermissions: 50013,
  editsCapped: 30046,
  threadExists: 160004,
  archivedThread: 50083,
} as const;

export interface Calls {
  /** For the few requests that need no name of their own. */
  readonly rest: REST;
  /** @returns the id of the message that answers, where there is one. */
  acknowledge(
    token: InteractionToken,
    response: APIInteractionResponse,
    wantsMessage: boolean,
  ): Promise<string | undefined>;
  editAnswer(token: InteractionToken, messageId: string, draft: Draft): Promise<APIMessage>;
  followUp(token: InteractionToken, draft: Draft): Promise<APIMessage>;
  deleteAnswer(token: InteractionToken, messageId: string): Promise<void>;
  getAnswer(token: InteractionToken): Promise<APIMessage>;
  post(channelId: string, draft: Draft): Promise<APIMessage>;
  edit(channelId: string, messageId: string, draft: Draft): Promise<APIMessage>;
  remove(channelId: string, messageId: string): Promise<void>;
  typing(channelId: string): Promise<void>;
  /** Opens a thread at a message: the thread's id is the message's. */
  openThread(channelId: string, messageId: string, name: string): Promise<void>;
  /** Opens a post in a forum. @returns the id of its thread. */
  openPost(
    forumId: string,
    post: { readonly name: string; readonly tags: readonly string[]; readonly starter: Draft },
  ): Promise<string>;
  unarchive(threadId: string): Promise<void>;
  openDirect(personId: string): Promise<string>;
  channel(channelId: string): Promise<APIChannel>;
  refusals(): Refusals;
  circuit: Pick<Circuit, 'state' | 'trip' | 'allows'>;
}

/** The circuit is open: Discord has refused too often, or refused the token. */
class CircuitOpen extends Error {
  override readonly name = 'CircuitOpen';
}

export interface CallsOptions {
  readonly token: string;
  /** `https://discord.com/api`, without a version. */
  readonly apiUrl: string;
  readonly now: () => Date;
}

export function createCalls({ token, apiUrl, now }: CallsOptions): Calls {
  const common = { api: apiUrl, version: '10', timeout: 15_000, makeRequest };
  // An edit held back by a rate limit comes back to its queue, which sends what is newest by then.
  const rest = new REST({
    ...common,
    rejectOnRateLimit: ({ method, route }) => method.toUpperCase() === 'PATCH' && /\/messages\/:id$/.test(route),
  }).setToken(token);
  // Interactions are outside the bot's global limit, so they do not wait for it either.
  const answers = new REST({ ...common, globalRequestsPerSecond: 10_000 });

  const { requests: failures, windowMs, coolDownMs } = limits.refused;
  const circuit = createCircuit({ failures, windowMs, coolDownMs, now });
  const refusals = { unauthorized: 0, forbidden: 0, rateLimited: 0 };
  const countedStatus: { readonly [status: number]: keyof Refusals } = { 401: 'unauthorized', 403: 'forbidden' };
  for (const one of [rest, answers]) {
    one.on(RESTEvents.Response, (_request, response) => {
      if (response.status === 429) refusals.rateLimited += 1;
      if (one === rest && response.status === 429) circuit.failed();
    });
  }

  async function guarded<T>(request: () => Promise<unknown>): Promise<T> {
    if (!circuit.allows()) throw new CircuitOpen('Discord refuses our requests; waiting before the next one');
    // The library forgets a refused token; the try after the cool-down needs it again.
    rest.setToken(token);
    try {
      const result = (await request()) as T;
      circuit.succeeded();
      return result;
    } catch (error) {
      count(error);
      throw error;
    }
  }

  function count(error: unknown) {
    if (!(error instanceof DiscordAPIError)) return;
    const counted = countedStatus[error.status];
    if (counted !== undefined) refusals[counted] += 1;
    if (error.status === 401) circuit.trip();
    else if (error.status === 403) circuit.failed();
    else circuit.succeeded();
  }

  async function answering<T>(request: () => Promise<unknown>): Promise<T> {
    try {
      return (await request()) as T;
    } catch (error) {
      if (error instanceof DiscordAPIError) {
        const counted = countedStatus[error.status];
        if (counted !== undefined) refusals[counted] += 1;
      }
      throw error;
    }
  }

  return {
    rest,
    circuit,
    refusals: () => ({ ...refusals }),
    async acknowledge({ interactionId, token: itsToken }, response, wantsMessage) {
      const made = await answering<unknown>(() =>
        answers.post(Routes.interactionCallback(interactionId, itsToken), {
          body: response,
          auth: false,
          query: new URLSearchParams({ with_response: String(wantsMessage) }),
        }),
      );
      return messageIdIn(made);
    },
    editAnswer: ({ applicationId, token: itsToken }, messageId, draft) =>
      answering(() =>
        answers.patch(Routes.webhookMessage(applicationId, itsToken, messageId), {
          ...encode(draft, 'edit'),
          auth: false,
        }),
      ),
    followUp: ({ applicationId, token: itsToken }, draft) =>
      answering(() =>
        answers.post(Routes.webhook(applicationId, itsToken), {
          ...encode(draft, 'answer'),
          auth: false,
          query: new URLSearchParams({ wait: 'true' }),
        }),
      ),
    async deleteAnswer({ applicationId, token: itsToken }, messageId) {
      await answering(() => answers.delete(Routes.webhookMessage(applicationId, itsToken, messageId), { auth: false }));
    },
    getAnswer: ({ applicationId, token: itsToken }) =>
      answering(() => answers.get(Routes.webhookMessage(applicationId, itsToken, '@original'), { auth: false })),
    post: (channelId, draft) => guarded(() => rest.post(Routes.channelMessages(channelId), encode(draft, 'post'))),
    edit: (channelId, messageId, draft) =>
      guarded(() => rest.patch(Routes.channelMessage(channelId, messageId), encode(draft, 'edit'))),
    async remove(channelId, messageId) {
      await guarded(() => rest.delete(Routes.channelMessage(channelId, messageId)));
    },
    async typing(channelId) {
      await guarded(() => rest.post(Routes.channelTyping(channelId)));
    },
    async openThread(channelId, messageId, name) {
      await guarded(() =>
        rest.post(Routes.threads(channelId, messageId), { body: { name, auto_archive_duration: 1440 } }),
      );
    },
    async openPost(forumId, { name, tags, starter }) {
      const { body } = encode(starter, 'answer');
      const { id } = await guarded<APIChannel>(() =>
        rest.post(Routes.threads(forumId), {
          body: { name, auto_archive_duration: 1440, message: body, ...(tags.length > 0 && { applied_tags: tags }) },
        }),
      );
      return id;
    },
    async unarchive(threadId) {
      await guarded(() => rest.patch(Routes.channel(threadId), { body: { archived: false } }));
    },
    async openDirect(personId) {
      const channel = await guarded<APIChannel>(() =>
        rest.post(Routes.userChannels(), { body: { recipient_id: personId } }),
      );
      return channel.id;
    },
    channel: (channelId) => guarded(() => rest.get(Routes.channel(channelId))),
  };
}

/** Nothing we send can ping anyone: `parse` is empty everywhere. */
function encode(draft: Draft, use: 'post' | 'answer' | 'edit') {
  const kept = (draft.keep ?? []).map((id) => ({ id }));
  const sent = draft.files.map(({ name, description }, id) => ({
    id: String(id),
    filename: name,
    ...(description === undefined ? {} : { description }),
  }));
  const flags = MessageFlags.IsComponentsV2 | (draft.private && use === 'answer' ? MessageFlags.Ephemeral : 0);
  const body = {
    components: draft.components,
    flags,
    allowed_mentions: { parse: [] },
    ...(use === 'edit' || sent.length > 0 ? { attachments: [...kept, ...sent] } : {}),
    ...(use === 'post' && draft.nonce !== undefined ? { nonce: draft.nonce, enforce_nonce: true } : {}),
    ...(use === 'post' && draft.answers !== undefined
      ? { message_reference: { message_id: draft.answers, fail_if_not_exists: false } }
      : {}),
  };
  const files = draft.files.map(({ name, data }, id): RawFile => ({ name, data, key: `files[${id}]` }));
  return files.length === 0 ? { body } : { body, files };
}

function messageIdIn(response: unknown): string | undefined {
  const { resource } = (response ?? {}) as { resource?: { message?: { id?: string } } };
  return resource?.message?.id;
}

/** Discord does not know the token. */
export function isUnauthorized(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('status' in error && error.status === 401) || ('code' in error && error.code === 'TokenInvalid');
}

/** @returns Discord's code for a refusal; undefined for any other error. */
export function codeOf(error: unknown): number | undefined {
  return error instanceof DiscordAPIError && typeof error.code === 'number' ? error.code : undefined;
}

/** How long to wait before a write is tried again; undefined where trying again can't help. */
export function retryAfterMs(error: unknown, attempt: number): number | undefined {
  if (error instanceof RateLimitError) return error.retryAfter + 50;
  if (error instanceof CircuitOpen) return attempt <= 10 ? limits.refused.coolDownMs / 4 : undefined;
  const passing =
    error instanceof HTTPError || (error instanceof Error && !(error instanceof DiscordAPIError) && isNetwork(error));
  return passing && attempt <= 8 ? Math.min(60_000, 500 * 2 ** attempt) : undefined;
}

function isNetwork(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : '';
  return error.name === 'AbortError' || /^(E[A-Z]+|UND_ERR_\w+)$/.test(code);
}
