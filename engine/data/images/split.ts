// Holds out a part of the pictures: a share of every class, and never two pictures of one person on both sides.
import type { Example } from '../examples.ts';
import { splitExamples } from '../split.ts';
import type { Picture, PictureSet } from './intake.ts';

export interface PictureSides {
  readonly train: readonly Picture[];
  readonly held: readonly Picture[];
  readonly warnings: readonly string[];
}

/**
 * As the folders say, where they do; else about `fraction` of each class.
 * @throws UserError when nothing can be held out.
 */
export function splitPictures(
  { pictures }: Pick<PictureSet, 'pictures'>,
  fraction: number,
  seed: number,
): PictureSides {
  if (pictures.some(({ side }) => side !== undefined)) {
    const held = pictures.filter(({ side }) => side === 'held');
    const heldGroups = new Set(held.map(({ group }) => group));
    const train = pictures.filter(({ side, group }) => side === 'train' && !heldGroups.has(group));
    const dropped = pictures.length - held.length - train.length;
    return {
      train,
      held,
      warnings:
        dropped === 0
          ? []
          : [`${dropped} training pictures show people of the evaluation folder and are not trained on.`],
    };
  }
  const examples = new Map<Example, Picture>(
    pictures.map((picture) => [{ text: picture.group, label: picture.label }, picture]),
  );
  const split = splitExamples([...examples.keys()], fraction, seed);
  const picturesOf = (side: readonly Example[]) => side.flatMap((example) => examples.get(example) ?? []);
  return { train: picturesOf(split.train), held: picturesOf(split.held), warnings: [] };
}
