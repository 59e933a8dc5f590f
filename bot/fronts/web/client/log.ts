// The conversation on the page: new messages join, edited ones change in place without a flicker or a lost focus.
import { Idiomorph } from 'idiomorph';
import type { MessageUpdate } from '../wire.ts';
import { calm, part } from './dom.ts';

export interface Log {
  /** @returns the message's element when it is new, undefined when it was edited or is old news. */
  put(update: MessageUpdate): HTMLElement | undefined;
  /** Shows a person's own words before the server has them. */
  expect(key: string, text: string, files: readonly string[]): void;
  /** Takes them away again. */
  forget(key: string): void;
  toLatest(): void;
}

const nearBottomPx = 120;

export function createLog(): Log {
  const log = part('log', HTMLElement);
  const welcome = part('welcome', HTMLElement);
  const latest = part('to-latest', HTMLButtonElement);

  /** Whether the person stays at the end: so until they scroll up. We ourselves only ever scroll down. */
  let following = true;
  let lastY = scrollY;
  const distance = () => document.documentElement.scrollHeight - innerHeight - scrollY;
  const scrollTo = (top: number) => window.scrollTo({ top, behavior: calm() ? 'instant' : 'smooth' });
  const toLatest = () => {
    following = true;
    scrollTo(document.documentElement.scrollHeight);
  };
  const byKey = (key: string) => log.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);

  addEventListener('scroll', () => {
    if (distance() < nearBottomPx) {
      following = true;
      latest.hidden = true;
    } else if (scrollY < lastY) following = false;
    lastY = scrollY;
  });
  latest.addEventListener('click', toLatest);

  /** Down to the end, but never past the beginning of what is new. */
  function follow(added: HTMLElement): void {
    const top = added.getBoundingClientRect().top + scrollY - 72;
    scrollTo(Math.min(top, document.documentElement.scrollHeight));
  }

  return {
    toLatest,
    put(update) {
      const template = document.createElement('template');
      // Rendered and escaped by our server; the page's content policy allows no script inside it either way.
      template.innerHTML = update.html;
      const fresh = template.content.firstElementChild;
      if (!(fresh instanceof HTMLElement)) return undefined;
      const old = document.getElementById(fresh.id) ?? (fresh.dataset.key ? byKey(fresh.dataset.key) : null);
      const wasAtBottom = distance() < nearBottomPx;
      if (old !== null) {
        if (Number(old.dataset.updated ?? 0) > update.updatedAt) return undefined;
        if (old.id === fresh.id) morph(old, fresh);
        else old.replaceWith(fresh);
        if (wasAtBottom && distance() > 0) window.scrollTo({ top: document.documentElement.scrollHeight });
        return undefined;
      }
      welcome.hidden = true;
      const next = [...log.children].find(
        (child) => child instanceof HTMLElement && Number(child.dataset.id ?? Number.POSITIVE_INFINITY) > update.id,
      );
      log.insertBefore(fresh, next ?? null);
      if (following) follow(fresh);
      else latest.hidden = false;
      return fresh;
    },
    expect(key, text, files) {
      welcome.hidden = true;
      const article = document.createElement('article');
      article.className = 'message person sending';
      article.dataset.key = key;
      article.setAttribute('aria-label', 'You');
      for (const line of [text, ...files]) {
        if (line === '') continue;
        const paragraph = document.createElement('p');
        paragraph.textContent = line.length > 1200 ? `${line.slice(0, 1200)}…` : line;
        article.append(paragraph);
      }
      log.append(article);
      toLatest();
    },
    forget: (key) => byKey(key)?.remove(),
  };
}

function morph(old: HTMLElement, fresh: HTMLElement): void {
  for (const picture of fresh.querySelectorAll('img')) {
    const shown = document.getElementById(picture.id);
    if (shown instanceof HTMLImageElement) swapWhenLoaded(shown, picture);
  }
  Idiomorph.morph(old, fresh, {
    morphStyle: 'outerHTML',
    restoreFocus: true,
    callbacks: {
      // A form that is the same form keeps what has been filled in.
      beforeNodeMorphed: (from, to) =>
        !(
          from instanceof HTMLFormElement &&
          to instanceof HTMLFormElement &&
          from.dataset.signature === to.dataset.signature
        ),
      beforeAttributeUpdated: (name) => name !== 'open',
    },
  });
}

/** What each picture shall show once it has been loaded. */
const wanted = new WeakMap<HTMLImageElement, string>();

/** The old picture stays until the new one can be painted; `fresh` is made to agree, so that the morph leaves it. */
function swapWhenLoaded(shown: HTMLImageElement, fresh: HTMLImageElement): void {
  const next = fresh.getAttribute('src') ?? '';
  const current = shown.getAttribute('src') ?? '';
  wanted.set(shown, next);
  if (next === current) return;
  fresh.setAttribute('src', current);
  const loading = new Image();
  loading.src = next;
  const swap = () => {
    if (wanted.get(shown) === next) shown.setAttribute('src', next);
  };
  loading.decode().then(swap, swap);
}
