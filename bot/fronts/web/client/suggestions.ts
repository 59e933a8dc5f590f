// The commands that fit what stands after `/`: arrows choose, Tab or Enter takes, Escape closes.
import type { PageData } from '../wire.ts';
import { part } from './dom.ts';

export interface Suggestions {
  /** @returns true when the key was for the list. */
  take(event: KeyboardEvent): boolean;
  close(): void;
}

export function wireSuggestions(
  text: HTMLTextAreaElement,
  commands: PageData['commands'],
  changed: () => void,
): Suggestions {
  const list = part('suggestions', HTMLUListElement);
  const status = part('suggestions-status', HTMLElement);
  let fitting: PageData['commands'] = [];
  let chosen = 0;

  function close(): void {
    fitting = [];
    show();
  }

  function show(): void {
    list.hidden = fitting.length === 0;
    list.replaceChildren(
      ...fitting.map((command, index) => {
        const item = document.createElement('li');
        item.id = `suggestion-${index}`;
        item.role = 'option';
        item.ariaSelected = String(index === chosen);
        const usage = document.createElement('code');
        usage.textContent = `/${command.usage.replace(/^\//, '')}`;
        const summary = document.createElement('span');
        summary.textContent = command.summary;
        item.append(usage, summary);
        item.addEventListener('pointerdown', (event) => {
          event.preventDefault();
          accept(command.name);
        });
        return item;
      }),
    );
    if (fitting.length === 0) text.removeAttribute('aria-activedescendant');
    else text.setAttribute('aria-activedescendant', `suggestion-${chosen}`);
    status.textContent =
      fitting.length === 0
        ? ''
        : `${fitting.length} ${fitting.length === 1 ? 'command fits' : 'commands fit'}. Arrow keys choose, Tab takes.`;
  }

  function accept(name: string): void {
    text.value = `/${name} `;
    text.setSelectionRange(text.value.length, text.value.length);
    text.focus();
    close();
    changed();
  }

  text.addEventListener('input', () => {
    const typed = /^\/(\S*)$/.exec(text.value)?.[1];
    fitting = typed === undefined ? [] : commands.filter(({ name }) => name.startsWith(typed.toLowerCase()));
    chosen = 0;
    show();
  });
  text.addEventListener('blur', close);

  return {
    close,
    take(event) {
      if (fitting.length === 0) return false;
      const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
      const command = fitting[chosen];
      if (step !== 0) {
        chosen = (chosen + step + fitting.length) % fitting.length;
        show();
      } else if (event.key === 'Escape') close();
      else if (event.key === 'Tab' && !event.shiftKey && command !== undefined) accept(command.name);
      else if (event.key === 'Enter' && !event.shiftKey && command !== undefined && text.value !== `/${command.name}`)
        accept(command.name);
      else return false;
      event.preventDefault();
      return true;
    },
  };
}
