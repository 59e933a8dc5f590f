// Messages in the small Discord: who may post where, what a message may be, and who is told of it.
import { type Gateway, intents } from './discord-gateway.ts';
import { checkMessage, flagBits, Refused, type Use } from './discord-rules.ts';
import type { CheckBody } from './discord-spec.ts';
import type { Request } from './discord-traffic.ts';
import type { Channel, Guild, Message, World } from './discord-world.ts';

export const permissionBits = {
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  readHistory: 1n << 16n,
  publicThreads: 1n << 35n,
  sendInThreads: 1n << 38n,
} as const;
export const allPermissions = Object.values(permissionBits).reduce((all, bit) => all | bit, 0n);

/** Of a file, in every place. */
export const fileBytes = 10 * 1024 * 1024;
const hourMs = 60 * 60_000;
const lateEdits = 5;

export interface Sent {
  readonly body: unknown;
  readonly files: readonly { name: string; bytes: Buffer }[];
}
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}
export const ok = (body: unknown, status = 200): Answer => ({ status, body });
export const done: Answer = { status: 204 };

export type PutFile = (
  name: string,
  content: string | Buffer,
) => { id: string; filename: string; url: string; size: number };

export interface PostingOptions {
  readonly world: World;
  readonly gateway: Gateway;
  readonly checkSpec: CheckBody;
  readonly putFile: PutFile;
  readonly nowMs: () => number;
}
export type Posting = ReturnType<typeof createPosting>;

export function createPosting({ world, gateway, checkSpec, putFile, nowMs }: PostingOptions) {
  function checkBySpec({ method, route }: Request, body: unknown) {
    const wrong = checkSpec(method, route.replace('@original', '1'), body);
    if (wrong.length > 0)
      throw new Refused(400, 50035, `Invalid Form Body (by the API description): ${wrong.join('; ')}`);
  }

  function need(channel: Channel, ...bits: readonly bigint[]) {
    if (channel.type === 1) return;
    const has = world.permissions(channel);
    if ((has & permissionBits.viewChannel) === 0n) throw new Refused(403, 50001, 'Missing Access');
    if (bits.some((bit) => (has & bit) === 0n)) throw new Refused(403, 50013, 'Missing Permissions');
  }

  function checkOutgoing(
    request: Request,
    sent: Sent,
    use: Use,
    before: Message | undefined,
    body: unknown = sent.body,
  ) {
    const isV2 = before !== undefined && !before.loading && (before.flags & flagBits.componentsV2) !== 0;
    const checked = checkMessage(
      body,
      use,
      sent.files.map(({ name }) => name),
      before === undefined ? undefined : { isV2, attachments: before.attachments },
    );
    if (request.body === body) checkBySpec(request, body);
    if (sent.files.some(({ bytes }) => bytes.length > fileBytes))
      throw new Refused(413, 40005, 'Request entity too large');
    return checked;
  }

  function contentOf(body: ReturnType<typeof checkMessage>, sent: Sent, before: Message | undefined) {
    const kept =
      body.attachments == null
        ? (before?.attachments ?? [])
        : (before?.attachments ?? []).filter(({ id }) => body.attachments?.some((one) => String(one.id) === id));
    const fresh = sent.files.map((file, index) => {
      const described = body.attachments?.find((one) => String(one.id) === String(index));
      const { id, url } = putFile(file.name, file.bytes);
      return {
        id,
        filename: file.name,
        bytes: file.bytes,
        url,
        ...(described?.description === undefined ? {} : { description: described.description }),
      };
    });
    return {
      content: body.content ?? (body.components == null ? (before?.content ?? '') : ''),
      components: body.components ?? before?.components ?? [],
      flags: (body.flags ?? before?.flags ?? 0) & ~flagBits.ephemeral,
      attachments: [...kept, ...fresh],
    };
  }

  function edit(message: Message, request: Request, sent: Sent, use: Use, body: unknown = sent.body): Message {
    const checked = checkOutgoing(request, sent, use, message, body);
    if (nowMs() - message.createdAtMs > hourMs && ++message.lateEdits > lateEdits) {
      throw new Refused(400, 30046, 'Maximum number of edits to messages older than 1 hour reached');
    }
    Object.assign(message, contentOf(checked, sent, message), {
      editedAtMs: message.loading ? undefined : nowMs(),
      loading: false,
    });
    announce('MESSAGE_UPDATE', message);
    return message;
  }

  /** The bot itself is there, not just a person who has it. */
  const isMember = ({ type, guildId }: Channel) =>
    guildId === undefined ? type === 1 : world.guilds.some(({ id, hasBot }) => id === guildId && hasBot);

  /** Tells the clients, with what their intents let them see. */
  function announce(event: 'MESSAGE_CREATE' | 'MESSAGE_UPDATE', message: Message) {
    if (message.visibleTo !== undefined) return;
    const channel = world.channel(message.channelId);
    if (channel === undefined || channel.type === 3) return;
    if (channel.guildId !== undefined && !world.guilds.some(({ id, hasBot }) => id === channel.guildId && hasBot))
      return;
    gateway.dispatch(event, (its) => {
      const wanted = channel.guildId === undefined ? intents.directMessages : intents.guildMessages;
      if ((its & wanted) === 0) return undefined;
      const full = {
        ...world.toMessage(message),
        ...(channel.guildId === undefined
          ? {}
          : {
              guild_id: channel.guildId,
              member: { roles: [], joined_at: new Date(0).toISOString(), deaf: false, mute: false, flags: 0 },
            }),
        ...(message.reference === undefined ? {} : { referenced_message: referenced(channel, message.reference) }),
      };
      const readable =
        (its & intents.messageContent) !== 0 ||
        channel.guildId === undefined ||
        message.author === world.bot ||
        message.mentions.includes(world.bot);
      return readable ? full : { ...full, content: '', attachments: [], components: [], embeds: [] };
    });
  }

  const referenced = (channel: Channel, id: string) => {
    const found = channel.messages.find((message) => message.id === id);
    return found === undefined ? null : world.toMessage(found);
  };

  function addChannel(guild: Guild | undefined, given: Partial<Channel> & Pick<Channel, 'type' | 'name'>): Channel {
    const channel: Channel = {
      id: world.newId(),
      guildId: guild?.id,
      parentId: undefined,
      ownerId: undefined,
      recipients: [],
      denied: 0n,
      archived: false,
      messages: [],
      ...given,
    };
    (guild?.channels ?? world.directs).push(channel);
    return channel;
  }

  return { checkBySpec, need, checkOutgoing, contentOf, edit, isMember, announce, addChannel };
}
