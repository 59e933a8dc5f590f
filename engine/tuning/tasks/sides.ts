// Training and held-out items of a run: from two files, or one file of which a part is held out.
import { holdOut } from '../../data/split.ts';

export interface Sides<Item> {
  readonly train: readonly Item[];
  readonly held: readonly Item[];
  readonly warnings: readonly string[];
}

/** @param keyOf items with equal keys are the same to a model: none stands on both sides of a split. */
export async function readSides<Item>(
  data: { readonly train: string; readonly eval: string | number },
  seed: number,
  read: (path: string) => Promise<{ readonly items: readonly Item[]; readonly warnings: readonly string[] }>,
  keyOf: (item: Item) => string,
): Promise<Sides<Item>> {
  const { items, warnings } = await read(data.train);
  if (typeof data.eval === 'number') return { ...holdOut(items, keyOf, data.eval, seed), warnings };
  const evaluation = await read(data.eval);
  const known = new Set(items.map(keyOf));
  const leaked = evaluation.items.filter((item) => known.has(keyOf(item))).length;
  return {
    train: items,
    held: evaluation.items,
    warnings: [
      ...warnings,
      ...evaluation.warnings.map((warning) => `Evaluation file: ${warning}`),
      ...(leaked === 0
        ? []
        : [
            `${leaked} of the ${evaluation.items.length} evaluation examples also stand in the training file: the figures will flatter.`,
          ]),
    ],
  };
}
