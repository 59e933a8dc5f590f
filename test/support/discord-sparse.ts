// What other people's servers may leave out: events with no more than the client library needs, and routes they may not have.
import { Refused } from './discord-rules.ts';
import type { Request } from './discord-traffic.ts';

type Fields = { readonly [field: string]: unknown };

const fieldsOf: { readonly [event: string]: readonly string[] } = {
  MESSAGE_CREATE: ['id', 'channel_id', 'guild_id', 'author', 'content', 'timestamp'],
  INTERACTION_CREATE: ['id', 'application_id', 'type', 'token', 'version', 'data', 'guild_id', 'channel_id'],
  GUILD_CREATE: ['id', 'name', 'channels', 'roles', 'members'],
};
const person = ['id', 'username', 'bot'];

const only = (data: Fields, fields: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(data).filter(([field]) => fields.includes(field)));

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** Arrays only where something is in them. */
const filled = (data: Fields, fields: readonly string[]) =>
  Object.fromEntries(
    Object.entries(only(data, fields)).filter(([, value]) => Array.isArray(value) && value.length > 0),
  );

export function bareEvent(event: string, data: unknown): unknown {
  const fields = fieldsOf[event];
  if (fields === undefined || !isFields(data)) return data;
  const bare = { ...only(data, fields), ...filled(data, ['attachments', 'mentions']) };
  if (event === 'MESSAGE_CREATE')
    return { ...bare, ...(isFields(data.author) ? { author: only(data.author, person) } : {}) };
  if (event !== 'INTERACTION_CREATE') return bare;
  const { user, member, message } = data;
  return {
    ...bare,
    ...(isFields(user) ? { user: only(user, person) } : {}),
    ...(isFields(member) && isFields(member.user) ? { member: { roles: [], user: only(member.user, person) } } : {}),
    ...(isFields(message) ? { message: bareEvent('MESSAGE_CREATE', message) } : {}),
  };
}

/** @throws Refused for what such a server does not have. */
export function bareAnswer({ method, route }: Request) {
  if (/applications\/@me$/.test(route)) throw new Refused(404, 0, '404: Not Found');
  if (/\/commands/.test(route) && method !== 'PUT') throw new Refused(405, 0, '405: Method Not Allowed');
  if (method === 'GET' && /^\/webhooks\//.test(route)) throw new Refused(404, 0, '404: Not Found');
}
