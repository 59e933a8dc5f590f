// A quiz battle with one person, where each has a conversation of their own: at the web page and in the terminal.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBattleHost } from '../bot/chat/battle-host.ts';
import { createConversation } from '../bot/chat/conversation.ts';
import { commands } from '../bot/commands/index.ts';
import { createRandom } from '../engine/random.ts';
import { openStore, type Store } from '../engine/store/client.ts';
import { type Battles, createBattles } from '../engine/tutor/battles.ts';
import { loadGuide } from '../knowledge/index.ts';
import { emptyFolder } from './support/databases.ts';
import { createFakeEngine } from './support/fake-engine.ts';
import type { FrontHarness } from './support/front-contract.ts';
import { createTerminalHarness } from './support/terminal-harness.ts';
import { createWebHarness } from './support/web-harness.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'finetutor-battle-'));
let store: Store;
let battles: Battles;
const now = () => new Date();
beforeAll(async () => {
  cpSync(await emptyFolder(), dataDir, { recursive: true });
  store = await openStore({ databaseUrl: undefined, dataDir });
  await store.execute("insert into workspaces (id, name) values ('local', 'Here')");
  battles = createBattles({ db: store.db, guide: await loadGuide(), random: createRandom(5), now });
}, 60_000);
afterAll(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const fronts: { readonly [name: string]: (engine: ReturnType<typeof createFakeEngine>) => Promise<FrontHarness> } = {
  web: (engine) => createWebHarness(engine),
  terminal: createTerminalHarness,
};

it.each(Object.keys(fronts))(
  'is begun, answered, moved on and won at the %s',
  async (name) => {
    const engine = { ...createFakeEngine(), battles };
    const harness = await fronts[name]?.(engine);
    if (harness === undefined) throw new Error('no such front');
    const problems: unknown[] = [];
    const log = { error: (details: unknown) => void problems.push(details), debug() {} };
    const after = (delayMs: number, callback: () => void) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    };
    const { deliver } = harness.front;
    const host = createBattleHost({ battles, deliver, runs: () => true, log, now, after });
    await harness.start(
      createConversation({
        engine,
        commands,
        deliver,
        log,
        now,
        newErrorId: () => 'e-1',
        pageUrl: () => undefined,
        showRun: async () => {},
        battles: host,
      }),
    );
    const sees = (words: RegExp) => expect.poll(() => harness.transcript(), { timeout: 10_000 }).toMatch(words);

    await harness.say('battle overfitting 1');
    await sees(/Question 1 of 1/);
    const [open] = await battles.unfinished();
    const right = open?.rounds[0]?.choices.findIndex(({ id }) => id === open.rounds[0]?.item.correctChoiceId) ?? -1;
    await harness.press('ABCDEF'.charAt(right));
    await sees(/Answered: /);
    await harness.press('Show the result');
    await sees(/wins with \d points/);
    await sees(/Scoreboard/);
    await harness.press('All battles');
    await sees(/1 of 1/);
    expect(problems).toEqual([]);
    await host.stop();
    await harness.stop();
  },
  60_000,
);
