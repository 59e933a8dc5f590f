// What has arrived and is not acknowledged yet: while there is any, answers wait.
import type { Server } from 'node:http';
import type { ReceiverEvent } from '@slack/bolt';

export interface Acknowledging {
  isUnderWay(): boolean;
  /** The event with an `ack` that is counted. */
  watch(event: ReceiverEvent): { readonly event: ReceiverEvent; readonly settle: () => void };
  /** A request is under way from its first byte to the last of its answer. */
  watchRequests(server: Server): void;
}

/** @param acknowledged told how long each acknowledgement took. */
export function createAcknowledging(now: () => Date, acknowledged: (delayMs: number) => void): Acknowledging {
  let underWay = 0;
  return {
    isUnderWay: () => underWay > 0,
    watch(event) {
      const arrivedAtMs = now().getTime();
      underWay += 1;
      let waiting = true;
      const settle = () => {
        if (waiting) underWay -= 1;
        waiting = false;
      };
      const ack: typeof event.ack = async (response) => {
        await event.ack(response);
        settle();
        acknowledged(now().getTime() - arrivedAtMs);
      };
      return { event: { ...event, ack }, settle };
    },
    watchRequests(server) {
      server.on('request', (_request, response) => {
        underWay += 1;
        response.once('close', () => {
          underWay -= 1;
        });
      });
    },
  };
}
