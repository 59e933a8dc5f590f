// What whoever runs the bot can watch: numbers in Prometheus's text format, behind the page's own guard.
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { Vitals } from '../bot/fronts/front.ts';
import { createMetrics, type Metrics } from '../bot/metrics.ts';
import { createFakeEngine } from './support/fake-engine.ts';
import { createWebHarness, type WebHarness } from './support/web-harness.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

let vitals: Vitals = {
  connected: true,
  reconnects: 2,
  zombies: 1,
  refused: { 401: 0, 403: 1, 429: 7 },
  circuit: 'closed',
};

function open(): Metrics {
  const metrics = createMetrics({
    runs: createFakeEngine().runs,
    vitals: () => [{ front: 'discord', ...vitals }],
  });
  stops.push(metrics.stop);
  return metrics;
}

/** One sample a line: `name{labels} value`, as the exposition format has it. */
async function read(metrics: Metrics): Promise<ReadonlyMap<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const { sample = '', value } = /^(?<sample>[a-zA-Z_:][\w:]*(\{.*\})?) (?<value>\S+)$/.exec(line)?.groups ?? {};
      expect(sample, line).not.toBe('');
      return [sample, Number(value)];
    }),
  );
}

describe('the metrics', () => {
  it('count events, duplicates, replies and how long acknowledging takes', async () => {
    const metrics = open();
    metrics.meter.event('discord', 'new');
    metrics.meter.event('discord', 'new');
    metrics.meter.event('discord', 'duplicate');
    metrics.meter.reply('slack', 'failed');
    metrics.meter.acknowledged('discord', 40);
    metrics.meter.acknowledged('discord', 700);
    const samples = await read(metrics);
    expect(samples.get('finetutor_events_total{front="discord",outcome="new"}')).toBe(2);
    expect(samples.get('finetutor_events_total{front="discord",outcome="duplicate"}')).toBe(1);
    expect(samples.get('finetutor_replies_total{front="slack",outcome="failed"}')).toBe(1);
    expect(samples.get('finetutor_acknowledgement_seconds_bucket{le="0.05",front="discord"}')).toBe(1);
    expect(samples.get('finetutor_acknowledgement_seconds_bucket{le="1",front="discord"}')).toBe(2);
    expect(samples.get('finetutor_acknowledgement_seconds_sum{front="discord"}')).toBeCloseTo(0.74);
  });

  it('show how each connection stands at the moment they are read', async () => {
    const metrics = open();
    const first = await read(metrics);
    expect(first.get('finetutor_front_connected{front="discord"}')).toBe(1);
    expect(first.get('finetutor_reconnects_total{front="discord"}')).toBe(2);
    expect(first.get('finetutor_zombie_connections_total{front="discord"}')).toBe(1);
    expect(first.get('finetutor_refused_requests_total{front="discord",status="429"}')).toBe(7);
    expect(first.get('finetutor_circuit_state{front="discord",state="closed"}')).toBe(1);
    vitals = { ...vitals, connected: false, reconnects: 3, circuit: 'open' };
    const second = await read(metrics);
    expect(second.get('finetutor_front_connected{front="discord"}')).toBe(0);
    expect(second.get('finetutor_reconnects_total{front="discord"}')).toBe(3);
    expect(second.get('finetutor_circuit_state{front="discord",state="open"}')).toBe(1);
    expect(second.get('finetutor_circuit_state{front="discord",state="closed"}')).toBe(0);
  });

  it('count runs by status and tell the memory of the process', async () => {
    const samples = await read(open());
    expect(samples.get('finetutor_runs{status="queued"}')).toBe(0);
    expect(samples.get('finetutor_runs{status="done"}')).toBe(0);
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1e7);
  });
});

describe('/metrics', () => {
  async function serve(metrics?: Metrics): Promise<WebHarness> {
    const harness = await createWebHarness(createFakeEngine(), metrics === undefined ? {} : { metrics });
    stops.push(() => harness.stop());
    await harness.start(async () => {});
    return harness;
  }

  it('answers beside /healthz, in the format a scraper expects', async () => {
    const harness = await serve(open());
    const response = await fetch(`${harness.address()}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain('finetutor_front_connected');
  });

  it('refuses another name for this computer, as the page does', async () => {
    const harness = await serve(open());
    const { hostname, port } = new URL(harness.address());
    const status = await new Promise((resolve, reject) =>
      request({ hostname, port, path: '/metrics', headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end(),
    );
    expect(status).toBe(421);
  });

  it('is not there where nothing is counted', async () => {
    const harness = await serve();
    expect((await fetch(`${harness.address()}/metrics`)).status).toBe(404);
  });
});
