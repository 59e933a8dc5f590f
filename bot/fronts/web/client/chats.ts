// Earlier chats of this browser, by their first words; kept here only, the conversations themselves are the server's.
import { part } from './dom.ts';

interface Kept {
  readonly chat: string;
  readonly title: string;
}
const storageKey = 'finetutor-chats';
const most = 20;

function read(): readonly Kept[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isKept) : [];
  } catch {
    // Somebody edited the storage by hand; the list is only a convenience.
    return [];
  }
}

const isKept = (value: unknown): value is Kept =>
  typeof value === 'object' &&
  value !== null &&
  'chat' in value &&
  'title' in value &&
  typeof value.chat === 'string' &&
  typeof value.title === 'string';

/** Puts this chat first in the list, named by the first thing said in it. */
export function keepChat(chat: string, title: string): void {
  const others = read().filter((one) => one.chat !== chat);
  const known = read().find((one) => one.chat === chat);
  const kept = [known ?? { chat, title: title.slice(0, 60) }, ...others].slice(0, most);
  localStorage.setItem(storageKey, JSON.stringify(kept));
  showChats(chat);
}

function showChats(current: string): void {
  const menu = part('chats', HTMLDetailsElement);
  const kept = read();
  menu.hidden = kept.length === 0 || (kept.length === 1 && kept[0]?.chat === current);
  menu.querySelector('ul')?.replaceChildren(
    ...kept.map(({ chat, title }) => {
      const item = document.createElement('li');
      const link = document.createElement('a');
      link.href = `/chat/${encodeURIComponent(chat)}`;
      link.textContent = title;
      if (chat === current) link.setAttribute('aria-current', 'page');
      item.append(link);
      return item;
    }),
  );
}

export function wireChats(current: string): void {
  const menu = part('chats', HTMLDetailsElement);
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    menu.open = false;
    menu.querySelector('summary')?.focus();
  });
  addEventListener('click', (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  });
  showChats(current);
}
