// npm run eval -- material: a group's handbook beside the guide. Each question should be answered by the one or the other.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMaterial } from '../../engine/material/material.ts';
import { openStore } from '../../engine/store/client.ts';
import { createConversations } from '../../engine/store/conversations.ts';
import { withMaterial } from '../../engine/tutor/own-material.ts';
import { createTutor } from '../../engine/tutor/tutor.ts';
import { readDocument } from '../../knowledge/documents/read.ts';
import { createMaterialSearch, createSearch, loadGuide, loadShippedEmbedder } from '../../knowledge/index.ts';
import { documents, type Kind, questions } from './questions/material.ts';

const where = { workspaceId: 'eval', channelId: undefined };
const now = () => new Date();
const guide = await loadGuide();
const embedder = await loadShippedEmbedder();
const dataDir = mkdtempSync(join(tmpdir(), 'finetutor-eval-'));
const store = await openStore({ databaseUrl: undefined, dataDir });
await createConversations({ db: store.db, now }).openWorkspace('eval', 'eval');
const material = createMaterial({
  db: store.db,
  dataDir,
  openSearch: () => createMaterialSearch({ guide, embedder }),
  read: ({ path, ...given }) => readDocument(path, given),
  fetchPage: () => Promise.reject(new Error('nothing is fetched here')),
  now,
});
for (const [name, markdown] of Object.entries(documents)) {
  const path = join(dataDir, `${name}.md`);
  writeFileSync(path, markdown);
  await material.add({ where, shared: true, personId: 'eval', from: { path, name: `${name}.md` } });
}
const tutor = withMaterial(createTutor({ guide, search: await createSearch({ guide, embedder }) }), material);

/** What an answer opens with decides whom it comes from; `both` is the guide's, with a pointer to the document. */
const right: { readonly [K in Kind]: (leads: string, cited: readonly string[]) => boolean } = {
  document: (leads) => leads === 'document',
  guide: (leads) => leads === 'guide',
  both: (_leads, cited) => cited.includes('document'),
  neither: (leads) => leads === 'refusal',
};
const counts = new Map<Kind, { right: number; of: number }>();
const wrong: string[] = [];
for (const { question, from, says } of questions) {
  const answer = await tutor.ask(question, [], { where });
  const cited = answer.citations.map(({ chapterId }) => (chapterId.startsWith('document:') ? 'document' : 'guide'));
  const leads = answer.abstained ? 'refusal' : (cited[0] ?? 'talk');
  const isRight = right[from](leads, cited) && (says === undefined || answer.markdown.toLowerCase().includes(says));
  const count = counts.get(from) ?? { right: 0, of: 0 };
  counts.set(from, { right: count.right + (isRight ? 1 : 0), of: count.of + 1 });
  if (!isRight)
    wrong.push(`${from}: ${question} → ${leads} (${answer.citations.map(({ title }) => title).join('; ')})`);
}
await store.close();
rmSync(dataDir, { recursive: true });
for (const [kind, { right, of }] of counts)
  console.log(`from ${kind}: ${right} of ${of} (${((100 * right) / of).toFixed(0)} %)`);
const sum = [...counts.values()].reduce((all, { right, of }) => ({ right: all.right + right, of: all.of + of }));
console.log(`in all: ${sum.right} of ${sum.of} (${((100 * sum.right) / sum.of).toFixed(0)} %)`);
for (const line of wrong) console.log(`  ${line}`);
