// Holds out a part of the examples for measuring, so that every label is there and no text stands on both sides.
import { UserError } from '../errors.ts';
import { createRandom } from '../random.ts';
import type { Example } from './examples.ts';
import { normalizeText } from './normalize.ts';
import { shown } from './text-file.ts';

export interface Split {
  readonly train: Example[];
  readonly held: Example[];
}

/**
 * Splits stratified by label: about `fraction` of each label is held out, at least one example of a label that has two
 * different texts, and never all of a label. Examples with equal (normalised) texts stay together. File order is kept.
 * @throws UserError when no label has two different texts, so that nothing can be held out.
 */
export function splitExamples(examples: readonly Example[], fraction: number, seed: number): Split {
  const random = createRandom(seed);
  const groups = new Map<string, Example[]>();
  for (const example of examples) {
    const key = normalizeText(example.text);
    const group = groups.get(key);
    if (group) group.push(example);
    else groups.set(key, [example]);
  }
  const groupsOfLabel = new Map<string, Set<string>>();
  const sizeOfLabel = new Map<string, number>();
  for (const [key, group] of groups) {
    for (const { label } of group) {
      const keys = groupsOfLabel.get(label) ?? new Set();
      groupsOfLabel.set(label, keys.add(key));
      sizeOfLabel.set(label, (sizeOfLabel.get(label) ?? 0) + 1);
    }
  }
  /** Which side each text has gone to. Labels take their share from the rarest to the most frequent. */
  const held = new Map<string, boolean>();
  const labels = [...sizeOfLabel].sort(([a, m], [b, n]) => m - n || (a < b ? -1 : 1));
  for (const [label, size] of labels) {
    const keys = [...(groupsOfLabel.get(label) ?? [])];
    const ofLabel = (key: string) => groups.get(key)?.filter((example) => example.label === label).length ?? 0;
    const open = random.shuffle(keys.filter((key) => !held.has(key)));
    const target = Math.max(1, Math.round(fraction * size));
    let taken = keys.reduce((sum, key) => (held.get(key) ? sum + ofLabel(key) : sum), 0);
    let left = keys.filter((key) => held.get(key) !== true).length;
    for (const key of open) {
      const fits = taken + ofLabel(key) <= target && left > 1;
      held.set(key, fits);
      if (!fits) continue;
      taken += ofLabel(key);
      left--;
    }
    if (taken === 0 && left > 1) {
      const [smallest] = open.sort((a, b) => ofLabel(a) - ofLabel(b));
      if (smallest !== undefined) held.set(smallest, true);
    }
  }
  const isHeld = (example: Example) => held.get(normalizeText(example.text)) === true;
  const split = { train: examples.filter((example) => !isHeld(example)), held: examples.filter(isHeld) };
  if (split.held.length === 0) {
    throw new UserError(
      `Nothing can be held out of these ${examples.length} rows: each label has one text only.`,
      'Add different texts for every label, or give a second file to evaluate on.',
    );
  }
  return split;
}

/**
 * Holds out about `fraction` of the items, at least one. Items with equal keys stay on one side. File order is kept.
 * @throws UserError when all have the same key.
 */
export function holdOut<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  fraction: number,
  seed: number,
): { readonly train: Item[]; readonly held: Item[] } {
  const sizes = new Map<string, number>();
  for (const item of items) sizes.set(keyOf(item), (sizes.get(keyOf(item)) ?? 0) + 1);
  const target = Math.max(1, Math.round(fraction * items.length));
  const chosen = new Set<string>();
  let taken = 0;
  for (const key of createRandom(seed).shuffle([...sizes.keys()])) {
    const size = sizes.get(key) ?? 0;
    if (chosen.size + 1 < sizes.size && (taken + size <= target || taken === 0)) {
      chosen.add(key);
      taken += size;
    }
  }
  if (taken === 0) {
    throw new UserError(
      `Nothing can be held out of these ${items.length} examples: they are all the same.`,
      'Add different examples, or give a second file to evaluate on.',
    );
  }
  return {
    train: items.filter((item) => !chosen.has(keyOf(item))),
    held: items.filter((item) => chosen.has(keyOf(item))),
  };
}

/** Labels of `held` that `train` never shows, in order of appearance. */
export function unseenLabels(train: readonly Example[], held: readonly Example[]): string[] {
  const seen = new Set(train.map(({ label }) => label));
  return [...new Set(held.map(({ label }) => label))].filter((label) => !seen.has(label));
}

/** @throws UserError naming the labels of the evaluation examples that the training examples never show. */
export function refuseUnseenLabels(train: readonly Example[], held: readonly Example[]): void {
  const unseen = unseenLabels(train, held);
  if (unseen.length === 0) return;
  const seen = [...new Set(train.map(({ label }) => label))];
  throw new UserError(
    `The evaluation data has ${unseen.length === 1 ? 'a label' : 'labels'} that the training data never shows: ${unseen.slice(0, 5).map(shown).join(', ')}.`,
    `A model can only answer with labels it was trained on (${seen.slice(0, 5).map(shown).join(', ')}${seen.length > 5 ? ', …' : ''}). Check the spelling, or add training examples.`,
  );
}
