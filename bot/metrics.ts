// What the bot counts, for /metrics in Prometheus's text format. Names and labels only: nothing anybody wrote, no secret.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Runs } from '../engine/index.ts';
import type { FrontName } from './chat/message.ts';
import type { Meter } from './chat/meter.ts';
import type { Vitals } from './fronts/front.ts';

export interface Metrics {
  readonly meter: Meter;
  readonly contentType: string;
  /** Everything as it is now. */
  text(): Promise<string>;
  stop(): void;
}

export interface MetricsOptions {
  readonly runs: Pick<Runs, 'countByStatus'>;
  /** The fronts that stand on somebody else's service, as they are now. */
  readonly vitals: () => readonly (Vitals & { readonly front: FrontName })[];
}

/** In seconds: the issue is whether an acknowledgement comes within half a second, and never after three. */
const acknowledgementBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5];
const circuitStates = ['closed', 'half-open', 'open'] as const;

export function createMetrics({ runs, vitals }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const events = new Counter({
    name: 'finetutor_events_total',
    help: 'Events taken in; duplicate: delivered before, so not answered again',
    labelNames: ['front', 'outcome'],
    registers,
  });
  const replies = new Counter({
    name: 'finetutor_replies_total',
    help: 'Replies handed to a front, and those it could not show',
    labelNames: ['front', 'outcome'],
    registers,
  });
  const acknowledgements = new Histogram({
    name: 'finetutor_acknowledgement_seconds',
    help: 'From receiving an event to the platform having its acknowledgement',
    labelNames: ['front'],
    buckets: acknowledgementBuckets,
    registers,
  });

  new Gauge({
    name: 'finetutor_front_connected',
    help: '1 while the front is connected to its platform',
    labelNames: ['front'],
    registers,
    collect() {
      this.reset();
      for (const { front, connected } of vitals()) this.set({ front }, Number(connected));
    },
  });
  new Gauge({
    name: 'finetutor_circuit_state',
    help: '1 for the state the circuit is in: open means the platform refuses us and requests wait',
    labelNames: ['front', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { front, circuit } of vitals())
        for (const state of circuitStates) this.set({ front, state }, Number(state === circuit));
    },
  });
  new Counter({
    name: 'finetutor_reconnects_total',
    help: 'Connections lost and made again',
    labelNames: ['front'],
    registers,
    collect() {
      this.reset();
      for (const { front, reconnects } of vitals()) this.inc({ front }, reconnects);
    },
  });
  new Counter({
    name: 'finetutor_zombie_connections_total',
    help: 'Connections given up because nothing answered on them',
    labelNames: ['front'],
    registers,
    collect() {
      this.reset();
      for (const { front, zombies } of vitals()) if (zombies !== undefined) this.inc({ front }, zombies);
    },
  });
  new Counter({
    name: 'finetutor_refused_requests_total',
    help: 'Requests the platform refused, by HTTP status',
    labelNames: ['front', 'status'],
    registers,
    collect() {
      this.reset();
      for (const { front, refused } of vitals())
        for (const [status, count] of Object.entries(refused)) this.inc({ front, status }, count);
    },
  });
  new Gauge({
    name: 'finetutor_runs',
    help: 'Training runs by status; queued is the depth of the queue',
    labelNames: ['status'],
    registers,
    async collect() {
      for (const [status, count] of Object.entries(await runs.countByStatus())) this.set({ status }, count);
    },
  });

  return {
    meter: {
      event: (front, outcome) => events.inc({ front, outcome }),
      reply: (front, outcome) => replies.inc({ front, outcome }),
      acknowledged: (front, delayMs) => acknowledgements.observe({ front }, delayMs / 1000),
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
    stop: () => registry.clear(),
  };
}
