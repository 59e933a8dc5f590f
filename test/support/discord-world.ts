// The state of a small Discord: people, guilds, channels, threads, messages, interactions; and the objects its API shows of them.

export interface User {
  readonly id: string;
  readonly username: string;
  readonly global_name: string | null;
  readonly bot: boolean;
}

export interface Channel {
  readonly id: string;
  /** 0 text, 1 direct, 3 group, 5 announcement, 11 public thread, 15 forum. */
  readonly type: number;
  readonly guildId: string | undefined;
  readonly name: string;
  readonly parentId: string | undefined;
  readonly ownerId: string | undefined;
  readonly recipients: readonly User[];
  /** Permissions the bot is denied here. */
  denied: bigint;
  archived: boolean;
  /** Of a forum. */
  readonly tags?: readonly { readonly id: string; readonly name: string; readonly moderated: boolean }[];
  readonly needsTag?: boolean;
  readonly appliedTags?: readonly string[];
  readonly messages: Message[];
}

export interface Guild {
  readonly id: string;
  readonly name: string;
  readonly channels: Channel[];
  /** The bot is a member. */
  readonly hasBot: boolean;
}

interface Attachment {
  readonly id: string;
  readonly filename: string;
  readonly description?: string;
  readonly bytes: Buffer;
  readonly url: string;
}

export interface Message {
  readonly id: string;
  readonly channelId: string;
  readonly author: User;
  content: string;
  components: readonly unknown[];
  flags: number;
  attachments: readonly Attachment[];
  readonly createdAtMs: number;
  editedAtMs: number | undefined;
  /** Edits made when it was older than an hour. */
  lateEdits: number;
  deleted: boolean;
  /** Only this person sees it. */
  readonly visibleTo: string | undefined;
  /** The interaction whose token may edit it. */
  readonly token: string | undefined;
  readonly mentions: readonly User[];
  readonly reference: string | undefined;
  readonly nonce: string | undefined;
  loading: boolean;
}

export interface Interaction {
  readonly id: string;
  readonly token: string;
  readonly type: number;
  readonly channel: Channel;
  readonly user: User;
  readonly createdAtMs: number;
  readonly source: Message | undefined;
  /** Type of the acknowledgement; undefined until then. */
  acknowledged: number | undefined;
  /** Milliseconds from dispatch to acknowledgement. */
  latencyMs: number | undefined;
  original: Message | undefined;
  followUps: number;
  modal: unknown;
  choices: readonly { readonly name: string; readonly value: string | number }[] | undefined;
  readonly settled: Promise<void>;
  settle(): void;
  readonly dispatchedAt: number;
}

const epochMs = 1_420_070_400_000n;

export interface World {
  readonly bot: User;
  readonly guilds: Guild[];
  readonly users: User[];
  readonly directs: Channel[];
  readonly interactions: Map<string, Interaction>;
  newId(): string;
  channel(id: string): Channel | undefined;
  channels(): readonly Channel[];
  permissions(channel: Channel): bigint;
  toChannel(channel: Channel): object;
  toMessage(message: Message): object;
  toGuild(guild: Guild): object;
  add(message: Partial<Message> & Pick<Message, 'channelId' | 'author'>): Message;
}

export function createWorld(options: { now: () => Date; allowed: bigint }): World {
  let sequence = 0n;
  const newId = () => String(((BigInt(options.now().getTime()) - epochMs) << 22n) | (sequence++ & 0x3fffffn));
  const bot: User = { id: newId(), username: 'Finetutor', global_name: null, bot: true };
  /** Owns every guild: an owner may do anything, so the bot must not be one. */
  const founderId = newId();
  const guilds: Guild[] = [];
  const directs: Channel[] = [];
  const users: User[] = [bot];
  const channels = () => [...guilds.flatMap((guild) => guild.channels), ...directs];

  const isThread = ({ type }: Channel) => type === 11;
  const iso = (ms: number) => new Date(ms).toISOString();

  function toChannel(channel: Channel) {
    const { id, type, guildId, name, parentId, ownerId, denied } = channel;
    const base = { id, type, last_message_id: channel.messages.at(-1)?.id ?? null };
    if (type === 1 || type === 3) return { ...base, recipients: channel.recipients.filter((user) => user !== bot) };
    const inGuild = {
      ...base,
      guild_id: guildId,
      name,
      parent_id: parentId ?? null,
      flags: channel.needsTag ? 1 << 4 : 0,
    };
    const ofForum =
      type !== 15
        ? {}
        : { available_tags: (channel.tags ?? []).map((tag) => ({ ...tag, emoji_id: null, emoji_name: null })) };
    if (isThread(channel)) {
      return {
        ...inGuild,
        owner_id: ownerId,
        message_count: channel.messages.length,
        member_count: 1,
        rate_limit_per_user: 0,
        thread_metadata: {
          archived: channel.archived,
          auto_archive_duration: 1440,
          archive_timestamp: iso(options.now().getTime()),
          locked: false,
        },
      };
    }
    return {
      ...inGuild,
      ...ofForum,
      position: 0,
      nsfw: false,
      topic: null,
      permission_overwrites: denied === 0n ? [] : [{ id: bot.id, type: 1, allow: '0', deny: String(denied) }],
    };
  }

  return {
    bot,
    guilds,
    users,
    directs,
    interactions: new Map(),
    newId,
    channels,
    channel: (id) => channels().find((channel) => channel.id === id),
    permissions(channel) {
      const parent = channel.parentId === undefined ? undefined : channels().find(({ id }) => id === channel.parentId);
      return options.allowed & ~channel.denied & ~(isThread(channel) ? (parent?.denied ?? 0n) : 0n);
    },
    toChannel,
    toMessage: (message) => ({
      id: message.id,
      channel_id: message.channelId,
      author: message.author,
      content: message.content,
      timestamp: iso(message.createdAtMs),
      edited_timestamp: message.editedAtMs === undefined ? null : iso(message.editedAtMs),
      tts: false,
      mention_everyone: false,
      mentions: message.mentions,
      mention_roles: [],
      attachments: message.attachments.map(({ bytes, url, ...rest }) => ({
        ...rest,
        url,
        proxy_url: url,
        size: bytes.length,
        content_type: 'application/octet-stream',
      })),
      embeds: [],
      pinned: false,
      type: message.reference === undefined ? 0 : 19,
      components: message.components,
      flags: message.flags | (message.visibleTo === undefined ? 0 : 64) | (message.loading ? 128 : 0),
      ...(message.author.bot ? { application_id: bot.id } : {}),
      ...(message.nonce === undefined ? {} : { nonce: message.nonce }),
      ...(message.reference === undefined
        ? {}
        : { message_reference: { type: 0, channel_id: message.channelId, message_id: message.reference } }),
    }),
    toGuild: (guild) => ({
      id: guild.id,
      name: guild.name,
      owner_id: founderId,
      unavailable: false,
      large: false,
      joined_at: iso(options.now().getTime()),
      member_count: users.length,
      roles: [
        {
          id: guild.id,
          name: '@everyone',
          permissions: String(options.allowed),
          color: 0,
          colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
          hoist: false,
          position: 0,
          managed: false,
          mentionable: false,
          flags: 0,
        },
      ],
      emojis: [],
      features: [],
      premium_tier: 0,
      premium_subscription_count: 0,
      preferred_locale: 'en-US',
      nsfw_level: 0,
      verification_level: 0,
      default_message_notifications: 0,
      explicit_content_filter: 0,
      mfa_level: 0,
      afk_timeout: 300,
      system_channel_flags: 0,
      channels: guild.channels.filter((channel) => !isThread(channel)).map(toChannel),
      threads: guild.channels.filter((channel) => isThread(channel) && !channel.archived).map(toChannel),
      members: [{ user: bot, roles: [], joined_at: iso(0), deaf: false, mute: false, flags: 0 }],
      presences: [],
      voice_states: [],
      stage_instances: [],
      guild_scheduled_events: [],
      soundboard_sounds: [],
      stickers: [],
    }),
    add(given) {
      const message: Message = {
        id: newId(),
        content: '',
        components: [],
        flags: 0,
        attachments: [],
        createdAtMs: options.now().getTime(),
        editedAtMs: undefined,
        lateEdits: 0,
        deleted: false,
        visibleTo: undefined,
        token: undefined,
        mentions: [],
        reference: undefined,
        nonce: undefined,
        loading: false,
        ...given,
      };
      channels()
        .find(({ id }) => id === message.channelId)
        ?.messages.push(message);
      return message;
    },
  };
}
