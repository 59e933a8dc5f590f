// The channel a conversation stands in: what was added for a channel is seen in its threads, too.
import type { Where } from '../../engine/index.ts';
import type { FrontName, Place } from './message.ts';

/** On this computer there are no channels. */
const channels: { readonly [F in FrontName]: (place: Place) => string | undefined } = {
  web: () => undefined,
  terminal: () => undefined,
  discord: ({ channelId, conversationId }) => channelId ?? conversationId,
  slack: ({ conversationId }) => conversationId.split(':')[0],
};

export const channelOf = (place: Place) => channels[place.front](place);

export const whereOf = (place: Place): Where => ({ workspaceId: place.workspaceId, channelId: channelOf(place) });
