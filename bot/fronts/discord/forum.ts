// Posts in forum channels: a run or a quiz that was asked for there gets a post of its own, with a tag where one is needed.
import { type APIChannel, ChannelFlags, ChannelType } from 'discord.js';
import { UserError } from '../../../engine/index.ts';
import type { Thread } from './exchange.ts';
import { limits } from './limits.ts';
import { missing, needs } from './permissions.ts';
import { type Calls, codeOf, codes, type Draft } from './rest.ts';

export interface ForumPostOptions {
  readonly calls: Pick<Calls, 'channel' | 'openPost'>;
  readonly forumId: string;
  readonly name: string;
  /** What it is about, to choose a tag by its name: `quiz`, `finetune`. */
  readonly about: string;
  /** The words a post begins with. */
  readonly starter: Draft;
  /** The bot's permissions in the forum, as far as they are known. */
  readonly bits: bigint | undefined;
}

const openingNeeds = ['View Channels', 'Send Messages', 'Send Messages in Threads'] as const;

/** @throws UserError for a channel that is no forum, with the permission that is lacking, or where no tag can be used. */
export async function openForumPost(options: ForumPostOptions): Promise<Thread> {
  const { calls, forumId, name, bits } = options;
  const lacking = missing(bits, openingNeeds);
  const forum = await calls.channel(forumId).catch((error: unknown) => {
    if (codeOf(error) === codes.missingAccess) throw lacks('View Channels');
    throw error;
  });
  if (forum.type !== ChannelType.GuildForum)
    throw new UserError('That channel is no forum.', 'Choose a forum channel.');
  if (lacking.length > 0)
    throw new UserError(`${needs(lacking, forum.name).replaceAll('*', '')} to open a post there.`, giveIt);
  try {
    const id = await calls.openPost(forumId, {
      name: name.slice(0, limits.thread.nameCharacters),
      tags: tagsFor(forum, options.about),
      starter: options.starter,
    });
    return { id, open: async () => id, opened: () => true };
  } catch (error) {
    if (codeOf(error) === codes.missingPermissions) throw lacks('Send Messages');
    throw error;
  }

  function lacks(permission: string) {
    return new UserError(`I need ${permission} in that forum to open a post there.`, giveIt);
  }
}

const giveIt = 'Give it to me in the settings of the forum, or leave the forum out.';

type Forum = Extract<APIChannel, { type: ChannelType.GuildForum }>;

/** A tag named like what the post is about; where one is required, any that everybody may use. */
function tagsFor({ available_tags: tags = [], flags, name }: Forum, about: string): readonly string[] {
  const open = tags.filter(({ moderated }) => !moderated);
  const named = open.find((tag) => tag.name.toLowerCase().includes(about));
  const required = (Number(flags ?? 0) & ChannelFlags.RequireTag) !== 0;
  const chosen = named ?? (required ? open[0] : undefined);
  if (required && chosen === undefined)
    throw new UserError(
      `A post in #${name ?? 'that forum'} needs a tag, and there is none I may use.`,
      'Add a tag such as “quiz” to the forum, or leave the forum out.',
    );
  return chosen === undefined ? [] : [chosen.id];
}
