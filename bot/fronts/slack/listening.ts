// What each of Bolt's listeners is given to work with.
import type { Engine } from '../../../engine/index.ts';
import type { Person, Place } from '../../chat/message.ts';
import type { Front } from '../front.ts';
import type { Fields, SlackApi } from './api.ts';
import type { Arrivals } from './arrivals.ts';
import type { Installations } from './installations.ts';
import type { Intake } from './intake.ts';
import { type Places, placeIn } from './places.ts';

export interface ListenOptions {
  readonly engine: Engine;
  readonly intake: Intake;
  readonly places: Places;
  readonly apiOf: (workspaceId: string) => Promise<SlackApi>;
  readonly directMessage: (workspaceId: string, personId: string) => Promise<string>;
  readonly deliver: Front['deliver'];
  readonly dataDir: string;
  readonly pageUrl: () => string | undefined;
  readonly log: { error(fields: object, message: string): void; debug(fields: object, message: string): void };
  readonly arrivals: Pick<Arrivals, 'isLeft' | 'wasCutShort'>;
  /** Begins to work on something acknowledged. */
  readonly work: (what: string, doIt: () => Promise<void>) => void;
  /** A workspace's token is no good any more. */
  readonly forget: (workspaceId: string) => void;
  readonly installations: Installations | undefined;
  readonly now: () => Date;
  /** An address Slack gave to answer at, for half an hour. */
  readonly answerAt: (place: Place, url: string) => void;
}

export interface Listening extends ListenOptions {
  inDirectMessage(workspaceId: string, personId: string): Promise<Place>;
  /** Something pleasant to have, nothing to fail for. */
  quietly(workspaceId: string, method: string, args: Fields): Promise<void>;
}

export function createListening(options: ListenOptions): Listening {
  const { apiOf, directMessage, log } = options;
  return {
    ...options,
    inDirectMessage: async (workspaceId, personId) => placeIn(workspaceId, await directMessage(workspaceId, personId)),
    async quietly(workspaceId, method, args) {
      const api = await apiOf(workspaceId);
      await api.call(method, args).catch((error: unknown) => log.debug({ err: error }, `Slack: ${method} was refused`));
    },
  };
}

export const personOf = (user: {
  readonly id: string;
  readonly name?: string | undefined;
  readonly username?: string | undefined;
}): Person => ({
  id: user.id,
  name: user.name ?? user.username ?? user.id,
});
