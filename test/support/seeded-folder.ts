// A base folder whose weights are seeded by their names, as the oracle's are: what adapters made elsewhere are loaded on.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { learnWordPiece } from '../../engine/data/vocabulary.ts';
import type { FloatTensor, Shape } from '../../engine/graph/tensor.ts';
import { createModel } from '../../engine/models/families.ts';
import type { Head } from '../../engine/models/model.ts';
import { seededWeight } from './oracle.ts';
import { safetensorsBytes } from './tiny-model.ts';

/** A variance is not negative. */
function seeded(name: string, shape: Shape): FloatTensor {
  const { data } = seededWeight(name, shape);
  return { shape, data: name.endsWith('.running_var') ? data.map((x) => x + 1) : data };
}

export async function writeSeededFolder(
  folder: string,
  config: { readonly [key: string]: unknown },
  head: Head,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const family = createModel(config, folder);
  const towers = family.modality === 'image' && head.kind === 'contrast' ? family.withTexts : undefined;
  const model = towers ?? family;
  const weights = Array.from(model.parameters(head), ([name, { shape }]) => [name, seeded(name, shape)] as const);
  await writeFile(join(folder, 'model.safetensors'), safetensorsBytes(weights));
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({ architectures: [model.architecture(head)], ...config }),
  );
  if (model.modality === 'image') return;
  const { tokenizer, config: settings } = learnWordPiece(['a b c'], { vocabularySize: model.vocabularySize });
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(settings));
}
