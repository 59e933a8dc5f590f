// Held-out examples: every label is there, no text stands on both sides, and the same seed gives the same split.
import { describe, expect, it } from 'vitest';
import type { Example } from '../engine/data/examples.ts';
import { normalizeText } from '../engine/data/normalize.ts';
import { refuseUnseenLabels, splitExamples, unseenLabels } from '../engine/data/split.ts';
import { UserError } from '../engine/errors.ts';
import { createRandom } from '../engine/random.ts';

/** A random dataset with rare labels, repeated texts (also spelt differently) and contradictions. */
function randomExamples(seed: number, { contradictions }: { contradictions: boolean }): Example[] {
  const random = createRandom(seed);
  const labels = Array.from({ length: 2 + random.below(6) }, (_, i) => `label ${i}`);
  const texts = 20 + random.below(120);
  return Array.from({ length: 20 + random.below(200) }, () => {
    const text = random.below(texts);
    const label = contradictions ? Math.floor(random.next() ** 2 * labels.length) : text % labels.length;
    const spelling = random.below(3) === 0 ? `  TEXT ${text}` : `text  ${text}`;
    return { text: spelling, label: labels[label] ?? 'label 0' };
  });
}

const textsOf = (examples: readonly Example[]) => new Set(examples.map(({ text }) => normalizeText(text)));
const key = ({ text, label }: Example) => `${text}|${label}`;

describe('splitting a dataset', () => {
  it('keeps all examples, in order, and no text on both sides', () => {
    for (let seed = 0; seed < 200; seed++) {
      const examples = randomExamples(seed, { contradictions: seed % 2 === 0 });
      const { train, held } = splitExamples(examples, 0.05 + (seed % 5) / 10, seed);
      expect([...train, ...held].map(key).sort()).toEqual(examples.map(key).sort());
      expect([...textsOf(train)].filter((text) => textsOf(held).has(text))).toEqual([]);
      expect(train).toEqual(examples.filter((example) => train.includes(example)));
      expect(train.length).toBeGreaterThan(0);
    }
  });

  it('shows every label that has two texts on both sides, near the fraction asked for', () => {
    for (let seed = 0; seed < 200; seed++) {
      const examples = randomExamples(seed, { contradictions: false });
      const fraction = 0.1 + (seed % 4) / 10;
      const { train, held } = splitExamples(examples, fraction, seed);
      for (const label of new Set(examples.map((example) => example.label))) {
        const of = (side: readonly Example[]) => side.filter((example) => example.label === label);
        const all = of(examples);
        if (textsOf(all).size < 2) continue;
        expect(of(held).length).toBeGreaterThan(0);
        expect(of(train).length).toBeGreaterThan(0);
        const sizes = [...textsOf(all)].map((text) => all.filter((e) => normalizeText(e.text) === text).length);
        expect(Math.abs(of(held).length - fraction * all.length)).toBeLessThanOrEqual(Math.max(...sizes));
      }
    }
  });

  it('holds out exactly the fraction of each label when all texts differ', () => {
    const examples = Array.from({ length: 1000 }, (_, i) => ({
      text: `text ${i}`,
      label: i % 10 === 0 ? 'rare' : 'common',
    }));
    const { held } = splitExamples(examples, 0.2, 1);
    expect(held.filter(({ label }) => label === 'rare')).toHaveLength(20);
    expect(held.filter(({ label }) => label === 'common')).toHaveLength(180);
  });

  it('is the same for the same seed and another for another', () => {
    const examples = randomExamples(3, { contradictions: false });
    expect(splitExamples(examples, 0.3, 7)).toEqual(splitExamples(examples, 0.3, 7));
    expect(splitExamples(examples, 0.3, 7)).not.toEqual(splitExamples(examples, 0.3, 8));
  });

  it('says so when nothing can be held out', () => {
    const examples = Array.from({ length: 10 }, (_, i) => ({ text: i % 2 ? 'yes' : 'no', label: String(i % 2) }));
    expect(() => splitExamples(examples, 0.1, 1)).toThrow('each label has one text only');
  });

  it('finds labels that training never shows, and refuses them by name', () => {
    const train = [{ text: 'a', label: 'good' }];
    const held = ['good', 'ugly', 'bad', 'ugly'].map((label) => ({ text: 'b', label }));
    expect(unseenLabels(train, held)).toEqual(['ugly', 'bad']);
    expect(() => refuseUnseenLabels(train, held)).toThrow(UserError);
    expect(() => refuseUnseenLabels(train, held)).toThrow('never shows: “ugly”, “bad”');
    refuseUnseenLabels(train, held.slice(0, 1));
  });
});
