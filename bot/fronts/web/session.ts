// Who is asking: a random id in a cookie that scripts and other sites cannot use. Conversation ids derive from it.
import { createHash, randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

const cookieName = 'finetutor_person';
const chatCookieName = 'finetutor_chat';
const yearSeconds = 365 * 24 * 3600;

export const homeChat = 'home';
const chatPattern = /^[a-z0-9]{1,32}$/;

export const isChat = (chat: string): boolean => chatPattern.test(chat);
export const newChat = (): string => randomBytes(8).toString('hex');

/** @returns the person's id, or undefined when the browser sent none of ours. */
export function readPerson(context: Context): string | undefined {
  const id = getCookie(context, cookieName);
  return id !== undefined && /^[A-Za-z0-9_-]{22}$/.test(id) ? id : undefined;
}

export function openSession(context: Context): string {
  const id = readPerson(context) ?? randomBytes(16).toString('base64url');
  setCookie(context, cookieName, id, { httpOnly: true, sameSite: 'Strict', path: '/', maxAge: yearSeconds });
  return id;
}

/** The chat this browser looked at last. */
export function readChat(context: Context): string {
  const chat = getCookie(context, chatCookieName);
  return chat !== undefined && isChat(chat) ? chat : homeChat;
}

export function rememberChat(context: Context, chat: string): void {
  setCookie(context, chatCookieName, chat, { httpOnly: true, sameSite: 'Strict', path: '/', maxAge: yearSeconds });
}

/** A conversation belongs to one person: nobody else's cookie leads to the same id. */
export function conversationOf(personId: string, chat: string): string {
  return `${createHash('sha256').update(personId).digest('hex').slice(0, 16)}-${chat}`;
}
