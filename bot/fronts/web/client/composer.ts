// Where a person writes: grows with the text, takes files by button, drop or paste, and offers commands after `/`.
import type { PageData } from '../wire.ts';
import { formatBytes, part } from './dom.ts';
import { wireSuggestions } from './suggestions.ts';

export interface Composer {
  focus(): void;
  /** Whether something has been written or attached and not been sent. */
  busy(): boolean;
  /** Puts back what could not be sent, unless something new stands there. */
  restore(text: string, files: readonly File[]): void;
}

export function createComposer(
  data: PageData,
  send: (text: string, files: readonly File[]) => void,
  refuse: (message: string) => void,
): Composer {
  const form = part('composer', HTMLFormElement);
  const text = part('text', HTMLTextAreaElement);
  const list = part('attachments', HTMLUListElement);
  const input = part('attach-input', HTMLInputElement);
  let files: File[] = [];

  function grow(): void {
    text.style.height = 'auto';
    text.style.height = `${Math.min(text.scrollHeight, innerHeight * 0.4)}px`;
  }

  function attach(more: Iterable<File>): void {
    for (const file of more) {
      if (file.size > data.uploadLimitBytes)
        refuse(
          `“${file.name}” is larger than ${formatBytes(data.uploadLimitBytes)}. Send a part of it: a few thousand rows are plenty for a first run.`,
        );
      else files.push(file);
    }
    showFiles();
    text.focus();
  }

  function showFiles(): void {
    list.hidden = files.length === 0;
    list.replaceChildren(
      ...files.map((file) => {
        const item = document.createElement('li');
        const remove = document.createElement('button');
        remove.type = 'button';
        remove.textContent = '×';
        remove.setAttribute('aria-label', `Remove ${file.name}`);
        remove.addEventListener('click', () => {
          files = files.filter((one) => one !== file);
          showFiles();
          text.focus();
        });
        item.append(`${file.name} · ${formatBytes(file.size)} `, remove);
        return item;
      }),
    );
  }

  const suggestions = wireSuggestions(text, data.commands, grow);
  text.addEventListener('input', grow);
  text.addEventListener('keydown', (event) => {
    if (suggestions.take(event)) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === 'Escape') text.blur();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (words === '' && files.length === 0) return;
    const sending = files;
    files = [];
    text.value = '';
    suggestions.close();
    showFiles();
    grow();
    send(words, sending);
  });

  part('attach', HTMLButtonElement).addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    attach(input.files ?? []);
    input.value = '';
  });
  text.addEventListener('paste', (event) => {
    const pasted = event.clipboardData?.files;
    if (pasted !== undefined && pasted.length > 0) {
      event.preventDefault();
      attach(pasted);
    }
  });
  wireDrop(attach);

  return {
    focus: () => text.focus({ preventScroll: true }),
    busy: () => text.value !== '' || files.length > 0,
    restore(words, unsent) {
      if (text.value !== '' || files.length > 0) return;
      text.value = words;
      files = [...unsent];
      showFiles();
      grow();
      text.focus();
    },
  };
}

/** Anywhere on the page, except over a form's own file field. */
function wireDrop(attach: (files: Iterable<File>) => void): void {
  const ownField = (event: Event) => event.target instanceof Element && event.target.closest('.drop') !== null;
  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragover', (event) => {
    if (!carriesFiles(event) || ownField(event)) return;
    event.preventDefault();
    document.body.classList.add('dropping');
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) document.body.classList.remove('dropping');
  });
  addEventListener('drop', (event) => {
    document.body.classList.remove('dropping');
    if (!carriesFiles(event) || ownField(event)) return;
    event.preventDefault();
    attach(event.dataTransfer?.files ?? []);
  });
}
