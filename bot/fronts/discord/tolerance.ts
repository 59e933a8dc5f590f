// What Discord always sends and other servers that speak its protocol may leave out is put back: the client library and we
// count on it, and an event it stumbles over would end the process.
import { type APIInteraction, type APIMessage, DefaultRestOptions, MessageType, type RESTOptions } from 'discord.js';

type Message = APIMessage & { readonly guild_id?: string };

/** Sets what is not there. */
function fill<T extends object>(given: T, standard: Partial<T>) {
  for (const [key, value] of Object.entries(standard)) {
    if (!(key in given) || Reflect.get(given, key) === undefined) Reflect.set(given, key, value);
  }
}

export function completeMessage(message: Message) {
  fill<Message>(message, { content: '', type: MessageType.Default, mentions: [], mention_roles: [], attachments: [] });
}

export function completeInteraction(interaction: APIInteraction) {
  fill<APIInteraction>(interaction, { entitlements: [], authorizing_integration_owners: {} });
  if ('message' in interaction && interaction.message !== undefined) completeMessage(interaction.message);
}

/** An empty answer is no JSON, whatever type it claims: a 204 with one makes the client library fail. */
export const makeRequest: RESTOptions['makeRequest'] = async (url, init) => {
  const response = await DefaultRestOptions.makeRequest(url, init);
  const json = async () => {
    const body = await response.text();
    return body === '' ? undefined : JSON.parse(body);
  };
  return Object.assign(response, { json });
};
