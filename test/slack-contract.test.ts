// The Slack front keeps the contract of every front, over the real Bolt and a strict Slack; nothing it sends is refused.
import { expect } from 'vitest';
import { describeFront } from './support/front-contract.ts';
import { createSlackHarness } from './support/slack-harness.ts';

describeFront('slack', async (engine) => {
  const harness = await createSlackHarness(engine);
  return {
    ...harness,
    get front() {
      return harness.front;
    },
    async stop() {
      await harness.stop();
      expect(harness.server.violations).toEqual([]);
      expect(harness.server.timeouts).toEqual([]);
      expect(harness.errors).toEqual([]);
    },
  };
});
