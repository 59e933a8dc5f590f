// The web front keeps the contract of every front.
import { describeFront } from './support/front-contract.ts';
import { createWebHarness } from './support/web-harness.ts';

describeFront('web', (engine) => createWebHarness(engine), {
  skip: [
    {
      reason: 'each browser has conversations of its own; web-http tests that another person gets nothing private',
      tests: ['hides a private reply from others', 'tells apart several people who press one button'],
    },
  ],
});
