// Pictures in class folders or a zip of them: what is taken, what is left out and why, and who stands on which side.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPictures } from '../engine/data/images/intake.ts';
import { splitPictures } from '../engine/data/images/split.ts';
import { writeZip, type ZipEntry } from './support/zip.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetutor-pictures-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A plain picture of its own colour: different numbers make different files. */
const draw = (number: number, side = 20) =>
  sharp({
    create: { width: side, height: side, channels: 3, background: { r: number % 256, g: number >> 8, b: 90 } },
  })
    .png()
    .toBuffer();

async function write(name: string, data: Uint8Array | string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), data);
}

async function writeClasses(prefix = '', each = 8): Promise<void> {
  for (let at = 0; at < each; at++) {
    await write(`${prefix}cats/cat ${at}.png`, await draw(at));
    await write(`${prefix}dogs/dog ${at}.png`, await draw(100 + at));
  }
}

async function zipOf(entries: readonly ZipEntry[]): Promise<string> {
  const path = join(folder, 'pictures.zip');
  await writeFile(path, writeZip(entries));
  return path;
}

async function classEntries(): Promise<ZipEntry[]> {
  return Promise.all(
    Array.from({ length: 12 }, async (_, at) => ({
      name: `pets/${at % 2 === 0 ? 'cats' : 'dogs'}/${at}.png`,
      data: await draw(at),
    })),
  );
}

test('the folders are the classes; a share of each is held out, the same for the same seed', async () => {
  await writeClasses('pets/');
  const set = await readPictures(folder);
  expect(set.labels).toEqual(['cats', 'dogs']);
  expect(set.pictures).toHaveLength(16);
  expect(set.warnings).toEqual([]);
  const { train, held } = splitPictures(set, 0.25, 1);
  expect(held.map(({ label }) => label).sort()).toEqual(['cats', 'cats', 'dogs', 'dogs']);
  expect(train).toHaveLength(12);
  expect(splitPictures(set, 0.25, 1).held).toEqual(held);
  expect(splitPictures(set, 0.25, 2).held).not.toEqual(held);
});

test('what is no whole picture, tiny, repeated, or in two classes is left out, and said so', async () => {
  await writeClasses();
  await write('cats/note.txt', 'hello');
  await write('cats/broken.jpg', 'no picture');
  await write('dogs/tiny.png', await draw(900, 8));
  await write('dogs/again.png', await draw(100));
  await write('cats/both.png', await draw(777));
  await write('dogs/both.png', await draw(777));
  await write('loose.png', await draw(901));
  await write('.DS_Store', 'x');
  await symlink('/etc/passwd', join(folder, 'cats', 'link.png'));
  const set = await readPictures(folder);
  expect(set.pictures).toHaveLength(16);
  const said = set.warnings.join('\n');
  expect(said).toContain('they lie in no class folder: 1 (“loose.png”)');
  expect(said).toContain('they are no pictures: 1 (“cats/note.txt”)');
  expect(said).toContain('“cats/broken.jpg” is not a picture');
  expect(said).toContain('“dogs/tiny.png” is only 8 × 8 pixels');
  expect(said).toContain('they repeat another picture of their class: 1 (');
  expect(said).toContain('the same picture lies in two class folders: 1');
  expect(said).not.toMatch(/link|DS_Store/);
});

test('folders for training and evaluation are kept, and a picture in both is not trained on', async () => {
  await writeClasses('all/train/');
  for (let at = 0; at < 3; at++) {
    await write(`all/val/cats/${at}.png`, await draw(50 + at));
    await write(`all/val/dogs/${at}.png`, await draw(150 + at));
  }
  await write('all/val/dogs/leak.png', await draw(100));
  const set = await readPictures(folder);
  const { train, held } = splitPictures(set, 0.1, 1);
  expect(held).toHaveLength(7);
  expect(train).toHaveLength(15);
  expect(set.warnings.join()).toContain('they also stand in the evaluation folder: 1');
});

test('all X-rays of one person stand on the same side, by the names of their files', async () => {
  for (let person = 0; person < 20; person++) {
    for (let view = 0; view < 3; view++) {
      await write(`PNEUMONIA/person${person}_virus_${view}.png`, await draw(person * 3 + view));
      await write(`NORMAL/NORMAL2-IM-${1000 + person}-000${view}.png`, await draw(500 + person * 3 + view));
    }
  }
  const set = await readPictures(folder);
  expect(set.warnings.join()).toContain('The file names tell 40 people apart');
  for (let seed = 0; seed < 5; seed++) {
    const { train, held } = splitPictures(set, 0.2, seed);
    const trained = new Set(train.map(({ group }) => group));
    expect(held.length).toBeGreaterThan(18);
    expect(held.filter(({ group }) => trained.has(group))).toEqual([]);
  }
});

test('a zip is read in place', async () => {
  const set = await readPictures(await zipOf(await classEntries()));
  expect(set.labels).toEqual(['cats', 'dogs']);
  expect(Buffer.from((await set.pictures[0]?.read()) ?? [])).toEqual(await draw(0));
  set.close();
});

test('a zip that leaves its folder, claims too much or is cut off is refused', async () => {
  const entries = await classEntries();
  const refuse = async (entry: ZipEntry) => expect(readPictures(await zipOf([...entries, entry]))).rejects;
  await (await refuse({ name: '../../evil.png', data: await draw(1) })).toThrow('is damaged or unsafe');
  await (await refuse({ name: '/etc/evil.png', data: await draw(1) })).toThrow('is damaged or unsafe');
  const zeros = new Uint8Array(32 * 2 ** 20);
  await (await refuse({ name: 'cats/bomb.png', data: zeros })).toThrow('times its size');
  const claim = { name: 'cats/big.png', data: await draw(1), claimedBytes: 2 ** 31 };
  await (await refuse(claim)).toThrow('unpacks to more than 64 MB');
  const whole = writeZip(entries);
  await writeFile(join(folder, 'cut.zip'), whole.subarray(0, whole.length / 2));
  await expect(readPictures(join(folder, 'cut.zip'))).rejects.toThrow('is not a zip file that can be read');
});

test('an entry that unpacks to more than it says is no picture', async () => {
  const entries = await classEntries();
  const liar = { name: 'pets/cats/liar.png', data: new Uint8Array(200_000), claimedBytes: 100 };
  const set = await readPictures(await zipOf([...entries, liar]));
  expect(set.pictures).toHaveLength(12);
  expect(set.warnings.join()).toContain('; left out.');
  set.close();
});

test('what cannot be trained on is refused with what to do', async () => {
  await expect(readPictures(join(folder, 'nowhere'))).rejects.toThrow('There is no');
  await write('cats/a.png', await draw(1));
  await expect(readPictures(folder)).rejects.toThrow('one class folder only');
  await write('dogs/a.png', await draw(2));
  await expect(readPictures(folder)).rejects.toThrow('has 2 pictures; training needs at least 10');
  await write('dogs/b.png', 'broken');
  await expect(readPictures(folder)).rejects.toThrow('1 of 3 pictures');
});
