// Who is looking at which conversation right now, and what each of them is sent.
import type { StreamEvents } from './wire.ts';

interface Listener {
  readonly personId: string;
  send<Name extends keyof StreamEvents>(name: Name, data: StreamEvents[Name]): void;
  /** Ends the stream from our side. */
  close(): void;
}

export interface Live {
  /** @returns a function that ends it. */
  listen(conversationId: string, listener: Listener): () => void;
  /** @param onlyTo the one person who may see it; undefined for everybody in the conversation. */
  publish<Name extends keyof StreamEvents>(
    conversationId: string,
    onlyTo: string | undefined,
    name: Name,
    data: StreamEvents[Name],
  ): void;
  closeAll(): void;
}

export function createLive(): Live {
  const listeners = new Map<string, Set<Listener>>();
  return {
    listen(conversationId, listener) {
      const here = listeners.get(conversationId) ?? new Set();
      listeners.set(conversationId, here.add(listener));
      return () => {
        here.delete(listener);
        if (here.size === 0 && listeners.get(conversationId) === here) listeners.delete(conversationId);
      };
    },
    publish(conversationId, onlyTo, name, data) {
      for (const listener of listeners.get(conversationId) ?? [])
        if (onlyTo === undefined || listener.personId === onlyTo) listener.send(name, data);
    },
    closeAll() {
      for (const here of listeners.values()) for (const listener of here) listener.close();
      listeners.clear();
    },
  };
}
