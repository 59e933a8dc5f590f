// The terminal front against the contract every front keeps.
import { describeFront } from './support/front-contract.ts';
import { createTerminalHarness } from './support/terminal-harness.ts';

describeFront('terminal', createTerminalHarness, {
  skip: [
    {
      reason: 'a terminal has one person',
      tests: ['hides a private reply from others', 'tells apart several people who press one button'],
    },
    { reason: 'a terminal starts with an empty screen', tests: ['keeps buttons working after a restart'] },
  ],
});
