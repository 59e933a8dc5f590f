// Where a conversation takes place in Slack: a direct message, or a thread. A thread begun by a slash command does not exist
// before our first answer; its conversation has an id of its own (`C1:~…`), tied to the thread once that is there.
import { createHash } from 'node:crypto';
import type { Kept } from '../../../engine/index.ts';
import type { Place } from '../../chat/message.ts';

export interface Spot {
  readonly channel: string;
  /** Undefined: in the channel itself (a direct message, or a thread that is yet to begin). */
  readonly threadTs: string | undefined;
  /** The next message begins the thread. */
  readonly begins: boolean;
}

export interface Places {
  /** The conversation a message belongs to; `ts` is its own, `threadTs` that of the thread it stands in. */
  conversationOf(
    workspaceId: string,
    channel: string,
    ts: string | undefined,
    threadTs: string | undefined,
  ): Promise<string>;
  /** Whether this thread began with an answer of ours to a command. */
  isOurs(workspaceId: string, channel: string, threadTs: string): Promise<boolean>;
  find(workspaceId: string, conversationId: string): Promise<Spot>;
  /** Ties a conversation to the thread under this message. */
  begin(workspaceId: string, conversationId: string, rootTs: string): Promise<void>;
}

/** What began the thread of a command. */
export const headingKind = 'slack.heading';
const threadKind = 'slack.thread';
const conversationKind = 'slack.conversation';

export const isDirect = (channel: string) => channel.startsWith('D');

export const placeIn = (workspaceId: string, conversationId: string): Place => ({
  front: 'slack',
  workspaceId,
  conversationId,
});

/** A conversation whose thread has not begun. @param key tells it apart: the same event gives the same id. */
export function newConversation(channel: string, key: string): string {
  return isDirect(channel) ? channel : `${channel}:~${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
}

export function createPlaces(kept: Kept): Places {
  const known = new Map<string, string>();
  const most = 5000;

  async function look(workspaceId: string, kind: string, name: string): Promise<string | undefined> {
    const key = JSON.stringify([workspaceId, kind, name]);
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const found = await kept.get(workspaceId, kind, name);
    if (typeof found !== 'string') return undefined;
    if (known.size >= most) known.clear();
    known.set(key, found);
    return found;
  }

  return {
    async conversationOf(workspaceId, channel, ts, threadTs) {
      const root = threadTs ?? ts;
      if (root === undefined) return channel;
      const tied = await look(workspaceId, conversationKind, `${channel}:${root}`);
      if (tied !== undefined) return tied;
      return isDirect(channel) && threadTs === undefined ? channel : `${channel}:${root}`;
    },
    async isOurs(workspaceId, channel, threadTs) {
      return (await look(workspaceId, conversationKind, `${channel}:${threadTs}`)) !== undefined;
    },
    async find(workspaceId, conversationId) {
      const [channel = '', thread] = conversationId.split(':');
      if (thread === undefined) return { channel, threadTs: undefined, begins: false };
      if (!thread.startsWith('~')) return { channel, threadTs: thread, begins: false };
      const threadTs = await look(workspaceId, threadKind, conversationId);
      return { channel, threadTs, begins: threadTs === undefined };
    },
    async begin(workspaceId, conversationId, rootTs) {
      const [channel = ''] = conversationId.split(':');
      await kept.putOnce(workspaceId, threadKind, conversationId, rootTs);
      await kept.putOnce(workspaceId, conversationKind, `${channel}:${rootTs}`, conversationId);
    },
  };
}
