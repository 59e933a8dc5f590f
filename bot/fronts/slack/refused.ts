// What to do about a message that Slack refuses: draw it more simply, or tell the person what they can do.
import type { Place, Reply } from '../../chat/message.ts';
import type { SlackProblem } from './api.ts';
import type { Standing } from './posting.ts';

const refusedBlocks = new Set(['invalid_blocks', 'invalid_blocks_format', 'invalid_arguments']);

/** Blocks that were refused: a picture may need a moment more; else without pictures, else in the oldest blocks. */
export function simplify(
  error: SlackProblem,
  reply: Reply,
  standing: Standing,
): { readonly waitMs: number } | undefined {
  if (
    error.method === 'files.getUploadURLExternal' ||
    error.method === 'files.completeUploadExternal' ||
    error.method === 'upload'
  ) {
    if (error.trouble === 'unsure' || error.trouble === 'wait' || standing.withoutPictures) return undefined;
    standing.withoutPictures = true;
    return { waitMs: 0 };
  }
  if (!refusedBlocks.has(error.code)) return undefined;
  const pictures = reply.blocks.some((block) => block.kind === 'picture') && !standing.withoutPictures;
  if (pictures && standing.pictureTries < 3) {
    standing.pictureTries += 1;
    return { waitMs: 500 * 2 ** standing.pictureTries };
  }
  if (!standing.plain) {
    standing.plain = true;
    return { waitMs: 0 };
  }
  if (!pictures) return undefined;
  standing.withoutPictures = true;
  return { waitMs: 0 };
}

/** What a person can do about a refusal; undefined where they can do nothing. */
export function explain(problem: SlackProblem, place: Place): string | undefined {
  const [channel = ''] = place.conversationId.split(':');
  switch (problem.code) {
    case 'not_in_channel':
    case 'channel_not_found':
      return `I can't write in <#${channel}>: I am not a member there. Invite me with \`/invite @Finetutor\`, then say it again. Or write to me directly.`;
    case 'missing_scope':
      return `I need the permission *${problem.needed ?? 'to do this'}*. Whoever manages the app can add it under *OAuth & Permissions* and reinstall it.`;
    case 'is_archived':
      return `<#${channel}> is archived. Write to me directly, or in another channel.`;
    case 'restricted_action':
    case 'restricted_action_read_only_channel':
    case 'restricted_action_thread_only_channel':
    case 'restricted_action_non_threadable_channel':
    case 'restricted_action_thread_locked':
      return `This workspace does not let me write in <#${channel}>. Write to me directly.`;
    case 'user_not_in_channel':
      return 'I can show this only to members of that channel.';
    default:
      return undefined;
  }
}
