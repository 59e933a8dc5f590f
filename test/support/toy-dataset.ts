// A tiny dataset whose labels follow from one word of each text, written as CSV; the rest of the words is seeded noise.
import { writeFile } from 'node:fs/promises';
import { createRandom } from '../../engine/random.ts';

const noise = ['the', 'film', 'was', 'a', 'story', 'about', 'two', 'people', 'and', 'their', 'dog', 'in', 'town'];
const signs = [
  ['good', ['great', 'lovely', 'superb']],
  ['bad', ['awful', 'dull', 'weak']],
] as const;

export async function writeToyDataset(path: string, rows: number, seed = 1): Promise<void> {
  const random = createRandom(seed);
  const lines = ['text,label'];
  for (let row = 0; row < rows; row++) {
    const [label, words] = signs[row % 2] ?? signs[0];
    const around = Array.from({ length: 2 + random.below(12) }, () => noise[random.below(noise.length)]);
    around.splice(random.below(around.length), 0, words[random.below(words.length)]);
    lines.push(`${around.join(' ')} ${row},${label}`);
  }
  await writeFile(path, `${lines.join('\n')}\n`);
}
