// A process of its own that answers a quiz and says so, one line an acknowledged answer, until it is killed.
// Arguments: data folder, guide folder, session id, then `item=choice` pairs.
import { createRandom } from '../../engine/random.ts';
import { openStore } from '../../engine/store/client.ts';
import { createQuizzes } from '../../engine/tutor/quizzes.ts';
import { loadGuide } from '../../knowledge/index.ts';

const [dataDir = '', guideFolder = '', sessionId = '', ...pairs] = process.argv.slice(2);
const store = await openStore({ databaseUrl: undefined, dataDir });
const guide = await loadGuide(guideFolder);
const quizzes = createQuizzes({ db: store.db, guide, random: createRandom(1), now: () => new Date() });
for (const pair of pairs) {
  const [itemId = '', choiceId = ''] = pair.split('=');
  await quizzes.answer({ workspaceId: 'w', personId: 'ada', sessionId, itemId, choiceId });
  process.stdout.write(`answered ${itemId}\n`);
}
setInterval(() => {}, 1000);
