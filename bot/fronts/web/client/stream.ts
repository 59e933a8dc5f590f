// The live stream: comes back by itself, and asks for what was missed from the last update it saw.
import type { MessageUpdate, StreamEvents } from '../wire.ts';

export interface StreamHandlers {
  message(update: MessageUpdate): void;
  working(keys: readonly string[]): void;
  settled(key: string): void;
  /** The stream has been lost for a moment (`false`) or works (`true`). */
  connected(yes: boolean): void;
}

/** The server says something at least every 15 s; silence for longer means that the line is dead. */
const silenceMs = 40_000;
const hiddenMs = 60_000;
const noticeMs = 1_500;
const longestWaitMs = 4_000;

export function openStream(chat: string, after: number, handlers: StreamHandlers): void {
  let newest = after;
  let source: EventSource | undefined;
  let attempts = 0;
  let silence: number | undefined;
  let retry: number | undefined;
  let notice: number | undefined;
  let hidden: number | undefined;

  function lost(): void {
    close();
    notice ??= window.setTimeout(() => handlers.connected(false), noticeMs);
    retry = window.setTimeout(open, Math.min(longestWaitMs, 300 * 2 ** attempts));
    attempts += 1;
  }

  function alive(): void {
    attempts = 0;
    clearTimeout(silence);
    silence = window.setTimeout(lost, silenceMs);
  }

  function close(): void {
    clearTimeout(silence);
    clearTimeout(retry);
    source?.close();
    source = undefined;
  }

  function open(): void {
    close();
    const opened = new EventSource(`/events?chat=${encodeURIComponent(chat)}&after=${newest}`);
    source = opened;
    const on = <Name extends keyof StreamEvents>(name: Name, take: (data: StreamEvents[Name]) => void) =>
      opened.addEventListener(name, (event) => {
        alive();
        take(JSON.parse(event.data));
      });
    on('message', (update) => {
      newest = Math.max(newest, update.updatedAt);
      handlers.message(update);
    });
    on('working', ({ keys }) => handlers.working(keys));
    on('settled', ({ key }) => handlers.settled(key));
    on('ping', () => {});
    opened.addEventListener('open', () => {
      alive();
      clearTimeout(notice);
      notice = undefined;
      handlers.connected(true);
    });
    opened.addEventListener('error', () => {
      if (source === opened) lost();
    });
  }

  // Browsers allow six connections to a site: a page nobody looks at gives its own back.
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hidden);
    if (document.visibilityState === 'hidden') hidden = window.setTimeout(close, hiddenMs);
    else if (source === undefined) open();
  });
  open();
}
