// npm run bench -- material: questions to a tutor whose workspace holds 100,000 passages of its own, and what that costs.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMaterial } from '../../engine/material/material.ts';
import { createRows } from '../../engine/material/rows.ts';
import { createRandom } from '../../engine/random.ts';
import { openStore } from '../../engine/store/client.ts';
import { createConversations } from '../../engine/store/conversations.ts';
import { withMaterial } from '../../engine/tutor/own-material.ts';
import { readAhead } from '../../engine/tutor/read-ahead.ts';
import { createTutor } from '../../engine/tutor/tutor.ts';
import { createMaterialSearch, createSearch, loadGuide, loadShippedEmbedder } from '../../knowledge/index.ts';

const [documents, passagesEach, asked] = [10, 10_000, 400];
const where = { workspaceId: 'bench', channelId: undefined };
const random = createRandom(11);
const now = () => new Date();
const guide = await loadGuide();
const embedder = await loadShippedEmbedder();
const search = await createMaterialSearch({ guide, embedder });
const dataDir = mkdtempSync(join(tmpdir(), 'finetutor-bench-'));
const store = await openStore({ databaseUrl: undefined, dataDir });
await createConversations({ db: store.db, now }).openWorkspace('bench', 'bench');

// Passages a group might write: sentences of the guide, mixed anew, with words of their own.
const sentences = guide.passages.flatMap(({ text }) => text.split(/(?<=[.!?])\s+/)).filter((text) => text.length > 20);
const pick = () => sentences[random.below(sentences.length)] ?? '';
const ownWord = () => `zor${random.below(3000).toString(36)}`;
const rows = createRows(store.db);
const seconds = async (work: () => Promise<unknown>) => {
  const start = performance.now();
  await work();
  return ((performance.now() - start) / 1000).toFixed(1);
};
// Ten documents of the same words: how long an answer takes depends on how many passages there are, not on which.
const passages = Array.from({ length: passagesEach }, () => ({
  headings: [`Part ${random.below(50)}`],
  page: random.below(300) + 1,
  text: `${pick()} ${ownWord()} ${pick()} ${ownWord()} ${pick()}`,
}));
let prepared: Awaited<ReturnType<typeof search.prepare>> = [];
const preparing = await seconds(async () => {
  prepared = await search.prepare(passages.map(({ headings, text }) => ({ title: headings.join(), text })));
});
const keeping = await seconds(async () => {
  for (let document = 0; document < documents; document++) {
    const id = `d${document}`;
    await rows.put(
      {
        ...{ workspaceId: 'bench', id, name: `Document ${id}`, title: id, channelId: null, format: 'text', url: null },
        ...{ contentHash: id, bytes: 1, pages: 300, passages: passagesEach, addedBy: 'x' },
        ...{ preparedBy: search.version, addedAt: now(), refreshedAt: now() },
      },
      { passages, prepared },
    );
  }
});

const material = createMaterial({
  db: store.db,
  dataDir,
  openSearch: async () => search,
  read: () => Promise.reject(new Error('nothing is read here')),
  fetchPage: () => Promise.reject(new Error('nothing is fetched here')),
  now,
});
const tutor = withMaterial(createTutor({ guide, search: await createSearch({ guide, embedder }) }), material);
await tutor.ask('what is overfitting?', []);
// As in a bot that has been up for a quarter of a minute.
await readAhead(guide, 0);
const before = process.memoryUsage().rss;
const building = await seconds(() => tutor.ask('what is overfitting?', [], { where }));
const grown = process.memoryUsage().rss - before;
const asks = guide.chapters.flatMap(({ sections }) => sections.flatMap((section) => section.asks));
const times: number[] = [];
const cpuBefore = process.cpuUsage();
for (let question = 0; question < asked; question++) {
  const words = `${asks[random.below(asks.length)] ?? ''}${question % 3 === 0 ? ` with ${ownWord()}` : ''}`;
  const start = performance.now();
  await tutor.ask(words, [], { where });
  times.push(performance.now() - start);
}
const cpu = process.cpuUsage(cpuBefore);
const cpuEach = (cpu.user + cpu.system) / 1000 / asked;
const quantile = (share: number) => times.toSorted((a, b) => a - b)[Math.floor(share * (times.length - 1))]?.toFixed(1);
console.log(
  `${(documents * passagesEach).toLocaleString('en')} passages (${passagesEach.toLocaleString('en')} prepared in ${preparing} s, all kept in ${keeping} s), indexed at the first question in ${building} s (${(grown / 1024 ** 2).toFixed(0)} MiB more memory)`,
);
console.log(
  `an answer: p50 ${quantile(0.5)} ms, p90 ${quantile(0.9)} ms, p99 ${quantile(0.99)} ms (${cpuEach.toFixed(1)} ms of processor time on average)`,
);
await store.close();
rmSync(dataDir, { recursive: true });
process.exit();
