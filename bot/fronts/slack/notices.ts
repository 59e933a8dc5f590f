// Tells a person what went wrong where an ordinary reply can't stand: by the address Slack gave for an answer, or directly.
import type { Person, Place } from '../../chat/message.ts';
import type { Workspaces } from './workspaces.ts';

export interface Notices {
  /** An address Slack gave to answer at, for half an hour. */
  answerAt(place: Place, url: string): void;
  tell(place: Place, asker: Person, words: string): Promise<void>;
}

/** Addresses remembered; the oldest have expired long before. */
const mostAddresses = 2000;

export function createNotices({
  workspaces,
  log,
}: {
  readonly workspaces: Pick<Workspaces, 'apiOf' | 'directMessage'>;
  readonly log: { error(fields: object, message: string): void };
}): Notices {
  const addresses = new Map<string, string>();
  const keyOf = ({ workspaceId, conversationId }: Place) => JSON.stringify([workspaceId, conversationId]);

  async function answer(url: string, words: string): Promise<boolean> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ response_type: 'ephemeral', text: words }),
      signal: AbortSignal.timeout(10_000),
    }).catch(() => undefined);
    return response?.ok === true;
  }

  return {
    answerAt(place, url) {
      if (addresses.size > mostAddresses) addresses.clear();
      addresses.set(keyOf(place), url);
    },
    async tell(place, asker, words) {
      const url = addresses.get(keyOf(place));
      if (url !== undefined && (await answer(url, words))) return;
      try {
        const api = await workspaces.apiOf(place.workspaceId);
        const channel = await workspaces.directMessage(place.workspaceId, asker.id);
        await api.call('chat.postMessage', { channel, text: words });
      } catch (error) {
        log.error({ err: error, place }, 'a person could not be told what went wrong');
      }
    },
  };
}
