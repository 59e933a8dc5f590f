// Reads a labelled set of pictures, one folder a class: checks every file, and says what was left out and why.
import { createHash } from 'node:crypto';
import { UserError } from '../../errors.ts';
import { count, shown } from '../text-file.ts';
import { decodePicture } from './decode.ts';
import { patientOf } from './patients.ts';
import { openPictures, type PictureFile } from './source.ts';

type Side = 'train' | 'held';

export interface Picture {
  /** Its path within the source. */
  readonly name: string;
  readonly label: string;
  /** Where the folders say on which side it stands. */
  readonly side: Side | undefined;
  /** Pictures of one group (a person, where the file names say whose) never stand on both sides. */
  readonly group: string;
  /** SHA-256 of the file. */
  readonly hash: string;
  read(): Promise<Uint8Array>;
}

export interface PictureSet {
  readonly pictures: readonly Picture[];
  /** In alphabetical order. */
  readonly labels: readonly string[];
  readonly warnings: readonly string[];
  close(): void;
}

const side_names: { readonly [folder: string]: Side } = {
  train: 'train',
  training: 'train',
  test: 'held',
  testing: 'held',
  val: 'held',
  valid: 'held',
  validation: 'held',
  eval: 'held',
};
const sideOf = (parts: readonly string[]): Side | undefined => side_names[parts[0]?.toLowerCase() ?? ''];

const fewestPictures = 10;
const smallestSide = 16;
const readsAtOnce = 4;
/** More unreadable files than this share mean that something else is wrong. */
const mostUnreadable = 0.2;
const usuallyNamed = 0.9;

/**
 * @param name how it is called in what is said of it.
 * @param path a folder or a zip file: class folders, perhaps within one folder for each side (train, test, val, …).
 * @throws UserError when it cannot be trained on.
 */
export async function readPictures(path: string, name = path): Promise<PictureSet> {
  const source = await openPictures(path);
  try {
    const { files, sided } = arrange(source.files);
    const checked = await checkAll(files.filter(({ parts }) => parts.length > (sided ? 2 : 1)));
    const grouped = groupByPatient(checked.whole);
    const { kept, warnings } = dropRepeated(
      grouped.entries.map(({ file, hash, group }) => ({
        name: file.parts.join('/'),
        label: file.parts[sided ? 1 : 0] ?? '',
        side: sided ? sideOf(file.parts) : undefined,
        group,
        hash,
        read: file.read,
      })),
    );
    const labels = [...new Set(kept.map(({ label }) => label))].sort();
    refuseUntrainable(name, kept, labels, checked.problems);
    const outside = files.filter(({ parts }) => parts.length <= (sided ? 2 : 1)).map(({ parts }) => parts.join('/'));
    return {
      pictures: kept,
      labels,
      warnings: [
        ...describe(outside, 'Left out because they lie in no class folder'),
        ...describe(
          source.others.map(({ parts }) => parts.join('/')),
          'Left out because they are no pictures',
        ),
        ...checked.problems.slice(0, 5),
        ...(checked.problems.length > 5
          ? [`Left out because they cannot be used: ${count(checked.problems.length)} pictures in all.`]
          : []),
        ...warnings,
        ...grouped.warnings,
      ],
      close: source.close,
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

/** Takes off folders that hold everything, and sees whether the sides are given. */
function arrange(files: readonly PictureFile[]): { files: readonly PictureFile[]; sided: boolean } {
  let arranged = files;
  for (;;) {
    const tops = new Set(arranged.map(({ parts }) => parts[0]));
    const sides = new Set(arranged.map(({ parts }) => sideOf(parts)));
    if (sides.has('train') && sides.has('held') && !sides.has(undefined)) return { files: arranged, sided: true };
    if (tops.size !== 1 || !arranged.every(({ parts }) => parts.length > 2)) return { files: arranged, sided: false };
    arranged = arranged.map(({ parts, read }) => ({ parts: parts.slice(1), read }));
  }
}

interface CheckedPicture {
  readonly file: PictureFile;
  readonly hash: string;
}

/** Opens every picture. @returns those that can be used, and what is wrong with the others, in words. */
export async function checkAll(
  files: readonly PictureFile[],
): Promise<{ whole: CheckedPicture[]; problems: string[] }> {
  const results: (CheckedPicture | string)[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < files.length; at = next++) {
      const file = files[at];
      if (file) results[at] = await check(file);
    }
  };
  await Promise.all(Array.from({ length: readsAtOnce }, work));
  return {
    whole: results.filter((result) => typeof result !== 'string'),
    problems: results.filter((result) => typeof result === 'string'),
  };
}

/** @returns what is wrong with the file, in words, unless nothing is. */
async function check(file: PictureFile): Promise<CheckedPicture | string> {
  const name = shown(file.parts.join('/'));
  try {
    const bytes = await file.read();
    const { width, height } = await decodePicture(bytes, name);
    if (Math.min(width, height) < smallestSide) return `${name} is only ${width} × ${height} pixels; left out.`;
    return { file, hash: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    return `${(error instanceof Error ? error.message : name).replace(/\.$/, '')}; left out.`;
  }
}

function groupByPatient(checked: readonly CheckedPicture[]): {
  entries: readonly (CheckedPicture & { readonly group: string })[];
  warnings: string[];
} {
  const patients = checked.map(({ file }) => patientOf(file.parts));
  const known = patients.filter((patient) => patient !== undefined);
  const people = new Set(known).size;
  const named = known.length >= usuallyNamed * checked.length && people < known.length;
  return {
    entries: checked.map((entry, at) => ({ ...entry, group: (named ? patients[at] : undefined) ?? entry.hash })),
    warnings: named
      ? [`The file names tell ${count(people)} people apart; all pictures of one stand on the same side.`]
      : [],
  };
}

/** Equal files count once; with different labels, or on both sides, they cannot be trusted in training. */
function dropRepeated(pictures: readonly Picture[]): { kept: Picture[]; warnings: string[] } {
  const byHash = new Map<string, Picture[]>();
  for (const picture of pictures) byHash.set(picture.hash, [...(byHash.get(picture.hash) ?? []), picture]);
  const contradictory = new Set<string>();
  const leaked = new Set<string>();
  const repeated: string[] = [];
  const kept = pictures.filter((picture) => {
    const equals = byHash.get(picture.hash) ?? [];
    if (equals.some(({ label }) => label !== picture.label)) contradictory.add(picture.hash);
    if (contradictory.has(picture.hash)) return false;
    const heldToo = equals.some(({ side }) => side === 'held');
    if (picture.side === 'train' && heldToo) {
      leaked.add(picture.name);
      return false;
    }
    const first = equals.find(({ side }) => side === picture.side);
    if (first === picture) return true;
    repeated.push(picture.name);
    return false;
  });
  return {
    kept,
    warnings: [
      ...describe([...leaked], 'Not trained on because they also stand in the evaluation folder'),
      ...describe(repeated, 'Left out because they repeat another picture of their class'),
      ...(contradictory.size === 0
        ? []
        : [`Left out because the same picture lies in two class folders: ${count(contradictory.size)}.`]),
    ],
  };
}

function describe(names: readonly string[], what: string): string[] {
  if (names.length === 0) return [];
  const some = names.slice(0, 3).map(shown).join(', ');
  return [`${what}: ${count(names.length)} (${some}${names.length > 3 ? ', …' : ''}).`];
}

function refuseUntrainable(
  path: string,
  pictures: readonly Picture[],
  labels: readonly string[],
  problems: readonly string[],
): void {
  const layout = 'Make one folder a class with its pictures inside, such as cats/ and dogs/.';
  const all = pictures.length + problems.length;
  if (problems.length > mostUnreadable * all) {
    throw new UserError(
      `${count(problems.length)} of ${count(all)} pictures in ${path} are unusable: ${problems[0]}`,
      layout,
    );
  }
  if (labels.length < 2) {
    throw new UserError(`${path} has ${labels.length === 0 ? 'no class folder' : 'one class folder only'}.`, layout);
  }
  if (pictures.length < fewestPictures) {
    throw new UserError(
      `${path} has ${pictures.length} pictures; training needs at least ${fewestPictures}.`,
      'Add more of every class: 50 of each is a good start.',
    );
  }
}
