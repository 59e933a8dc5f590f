// Charts and the store of pictures: drawn with our own font, described in words, kept by content.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { confusionChart } from '../engine/charts/confusion.ts';
import { lossChart } from '../engine/charts/loss.ts';
import { createPictures } from '../engine/charts/pictures.ts';
import { renderPng } from '../engine/charts/render.ts';
import { createRandom } from '../engine/random.ts';

const folder = mkdtempSync(join(tmpdir(), 'finetutor-charts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const falling = (steps: number) =>
  Array.from({ length: steps }, (_, i) => ({ step: i + 1, loss: 0.31 + 0.38 * Math.exp((-6 * i) / steps) }));

/** All text of an SVG; what is drawn as shapes is not in it. */
const words = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((match) => match[1]);

describe('the loss chart', () => {
  it('says in words what it shows, with the numbers', async () => {
    const held = [400, 800, 1200].map((step) => ({ step, loss: step === 800 ? 0.45 : 0.52 }));
    const { alt } = await lossChart({ title: 'run-7', train: falling(1298), held });
    expect(alt).toBe(
      'run-7: training loss falls from 0.69 to 0.31 over 1,298 steps; held-out loss is lowest, 0.45, at step 800 and 0.52 at the end, step 1,200.',
    );
  });

  it.each([
    [[], [], 'no loss has been measured yet'],
    [[{ step: 1, loss: 0.7 }], [], 'training loss is 0.70 at step 1'],
    [[1, 2, 3].map((step) => ({ step, loss: step })), [], 'training loss rises from 1.00 to 3.00 over 3 steps'],
    [[1, 2].map((step) => ({ step, loss: 0.5 })), [], 'training loss stays near 0.50 over 2 steps'],
    [[1, 2].map((step) => ({ step, loss: step === 2 ? Number.NaN : 2 })), [], '1 value was not finite'],
  ])('draws and describes few or strange points %#', async (train, held, expected) => {
    const { svg, alt } = await lossChart({ title: 'run-1', train, held });
    expect(alt).toContain(expected);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('draws 10,000 steps in a small picture, quickly', async () => {
    await lossChart({ title: 'warm', train: falling(10), held: [] });
    const started = performance.now();
    const { svg } = await lossChart({ title: 'long', train: falling(10_000), held: falling(100) });
    expect(performance.now() - started).toBeLessThan(1500);
    expect(svg.length).toBeLessThan(120_000);
  });

  it('marks the best held-out point where it is', async () => {
    const held = [10, 20, 30].map((step) => ({ step, loss: Math.abs(step - 20) / 100 + 0.3 }));
    const { svg } = await lossChart({ title: 'run', train: falling(30), held });
    expect(words(svg)).toContain('best 0.30 at step 20');
  });
});

describe('the confusion chart', () => {
  it('shows counts, row percentages and the most frequent mistakes', async () => {
    const { svg, alt } = await confusionChart({
      title: 'run-7',
      labels: ['bad', 'good'],
      confusion: [
        [30, 10],
        [1, 199],
      ],
    });
    expect(words(svg)).toEqual(expect.arrayContaining(['30', '75 %', '10', '25 %', '199', 'predicted', 'actual']));
    expect(alt).toBe(
      'run-7: 229 of 240 (95.4 %) right over 2 classes; most frequent mistakes: bad taken for good 10 times, good taken for bad 1 time.',
    );
  });

  it('cuts long names and draws up to a hundred classes', async () => {
    const random = createRandom(1);
    for (const k of [3, 12, 30, 100]) {
      const labels = Array.from({ length: k }, (_, i) => `${i} ${'a very long name <b>&'.repeat(4)}`);
      const confusion = labels.map((_, a) => labels.map((__, p) => (a === p ? 50 : random.below(3))));
      const { svg } = await confusionChart({ title: 'x'.repeat(300), labels, confusion });
      expect(words(svg).filter((word) => word?.endsWith('…')).length).toBeGreaterThanOrEqual(2 * k);
      expect(svg).not.toContain('<b>');
      expect(svg).not.toMatch(/NaN|Infinity/);
    }
  });

  it('says so before anything is counted', async () => {
    const { alt } = await confusionChart({
      title: 'run',
      labels: ['a', 'b'],
      confusion: [
        [0, 0],
        [0, 0],
      ],
    });
    expect(alt).toContain('no examples have been counted yet');
  });
});

describe('painting', () => {
  it('gives a PNG twice the size of the chart, or as wide as asked', async () => {
    const { svg } = await lossChart({ title: 'run', train: falling(20), held: [] });
    const { png, width, height } = await renderPng(svg);
    expect([width, height]).toEqual([1280, 720]);
    expect(Buffer.from(png).readUInt32BE(16)).toBe(1280);
    expect(await renderPng(svg, { width: 320 })).toMatchObject({ width: 320, height: 180 });
  });

  it('paints its letters without any font installed, the same as here', async () => {
    const { svg } = await lossChart({ title: 'Äpfel & Birnen', train: falling(20), held: [] });
    const blank = await renderPng(svg.replaceAll(/<text.*?<\/text>/gs, ''));
    const here = Buffer.from((await renderPng(svg)).png).toString('base64');
    expect(here).not.toBe(Buffer.from(blank.png).toString('base64'));
    const script = `
      import { renderPng } from './engine/charts/render.ts';
      let svg = ''; for await (const chunk of process.stdin) svg += chunk;
      process.stdout.write(Buffer.from((await renderPng(svg)).png).toString('base64'));`;
    const bare = { ...process.env, HOME: folder, FONTCONFIG_FILE: '/dev/null', FONTCONFIG_PATH: folder };
    const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      input: svg,
      env: bare,
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
    expect(child.stderr).toBe('');
    expect(child.stdout).toBe(here);
  });
});

describe('the store of pictures', () => {
  it('keeps a picture once, by content, and gives it back', async () => {
    const pictures = createPictures(join(folder, 'pictures'));
    const { svg } = await confusionChart({
      title: 'a',
      labels: ['a', 'b'],
      confusion: [
        [1, 0],
        [0, 1],
      ],
    });
    const { png, width, height } = await renderPng(svg);
    const stored = await Promise.all([pictures.put(png), pictures.put(png)]);
    expect(stored[0]).toEqual(stored[1]);
    expect(stored[0]).toMatchObject({ width, height });
    expect(readdirSync(join(folder, 'pictures'))).toEqual([`${stored[0].id}.png`]);
    const back = await pictures.get(stored[0].id);
    expect(back && Buffer.compare(back, png)).toBe(0);
  });

  it('gives nothing for an id that is unknown or not an id', async () => {
    const pictures = createPictures(join(folder, 'pictures'));
    for (const id of [
      'f'.repeat(64),
      '../secret',
      '',
      'F'.repeat(64),
      `${'a'.repeat(64)}\n`,
      `${'a'.repeat(60)}/../`,
    ]) {
      expect(await pictures.get(id)).toBeUndefined();
    }
  });

  it('refuses bytes that are not a PNG', async () => {
    await expect(createPictures(folder).put(Buffer.from('<svg/>'))).rejects.toThrow(TypeError);
  });
});
