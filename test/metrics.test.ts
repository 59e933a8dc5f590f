// Scores of a classifier, against tables worked out by hand and a second, plainer implementation.
import { describe, expect, it } from 'vitest';
import { classificationMetrics } from '../engine/evaluate/classification.ts';
import { createRandom } from '../engine/random.ts';
import type { ClassificationMetrics } from '../engine/runs/events.ts';
import { metricsSchema } from '../engine/runs/events.ts';

/** Logits that make the model predict `predicted`. */
const logitsOf = (predicted: readonly number[], classes: number) =>
  Float32Array.from(predicted.flatMap((p) => Array.from({ length: classes }, (_, c) => (c === p ? 5 : 0))));

/** One pass over all examples for every number: slow, and with nothing in common with the code under test. */
function naiveMetrics(
  actual: readonly number[],
  logits: readonly number[],
  labels: readonly string[],
): ClassificationMetrics {
  const k = labels.length;
  const rows = actual.map((_, i) => logits.slice(i * k, i * k + k));
  const predicted = rows.map((row) => row.indexOf(Math.max(...row)));
  const share = (a: number, b: number) => (b === 0 ? 0 : a / b);
  const losses = rows.map((row, i) => {
    const sum = row.map((z) => Math.exp(z - (row[actual[i] ?? 0] ?? 0))).reduce((a, b) => a + b);
    return Math.log(sum);
  });
  const perClass = labels.map((label, c) => {
    const both = actual.filter((a, i) => a === c && predicted[i] === c).length;
    const support = actual.filter((a) => a === c).length;
    const precision = share(both, predicted.filter((p) => p === c).length);
    const recall = share(both, support);
    const f1 = precision + recall === 0 ? 0 : 2 / (1 / precision + 1 / recall);
    return { label, precision, recall, f1, support };
  });
  const seen = perClass.filter((c) => c.support > 0);
  const mean = (values: readonly number[]) =>
    share(
      values.reduce((a, b) => a + b, 0),
      values.length,
    );
  return {
    kind: 'classification',
    loss: mean(losses),
    accuracy: mean(actual.map((a, i) => (predicted[i] === a ? 1 : 0))),
    majorityAccuracy: share(Math.max(...perClass.map((c) => c.support)), actual.length),
    macroPrecision: mean(seen.map((c) => c.precision)),
    macroRecall: mean(seen.map((c) => c.recall)),
    macroF1: mean(seen.map((c) => c.f1)),
    perClass,
    confusion: labels.map((_, a) =>
      labels.map((__, p) => actual.filter((x, i) => x === a && predicted[i] === p).length),
    ),
    examples: actual.length,
  };
}

describe('classification metrics', () => {
  it('agree with a two-class table worked out by hand', () => {
    // actual spam: 40 found, 10 missed; actual ham: 5 false alarms, 45 right.
    const actual = [...Array(50).fill(0), ...Array(50).fill(1)];
    const predicted = [...Array(40).fill(0), ...Array(10).fill(1), ...Array(5).fill(0), ...Array(45).fill(1)];
    const metrics = classificationMetrics({ actual, logits: logitsOf(predicted, 2), labels: ['spam', 'ham'] });
    expect(metrics.confusion).toEqual([
      [40, 10],
      [5, 45],
    ]);
    expect(metrics.accuracy).toBeCloseTo(0.85, 12);
    expect(metrics.perClass[0]).toMatchObject({ precision: 40 / 45, recall: 0.8, support: 50 });
    expect(metrics.perClass[0]?.f1).toBeCloseTo((2 * 40) / (2 * 40 + 5 + 10), 12);
    expect(metrics.perClass[1]?.f1).toBeCloseTo((2 * 45) / (2 * 45 + 10 + 5), 12);
    expect(metrics.majorityAccuracy).toBe(0.5);
    // Right: log(1 + e^-5); wrong: 5 more.
    expect(metrics.loss).toBeCloseTo(Math.log1p(Math.exp(-5)) + 0.15 * 5, 6);
  });

  it('are 0 where they would divide by zero, and average over the classes that occur', () => {
    const metrics = classificationMetrics({
      actual: [0, 0, 1],
      logits: logitsOf([0, 2, 0], 4),
      labels: ['a', 'b', 'c', 'd'],
    });
    expect(metrics.perClass.map(({ precision, recall, f1 }) => [precision, recall, f1])).toEqual([
      [0.5, 0.5, 0.5],
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(metrics).toMatchObject({ macroPrecision: 0.25, macroRecall: 0.25, macroF1: 0.25 });
    expect(metrics.majorityAccuracy).toBeCloseTo(2 / 3, 12);
  });

  it('stay finite for huge logits and give log k for equal ones', () => {
    const huge = classificationMetrics({
      actual: [0, 1],
      logits: Float32Array.of(1e4, -1e4, 1e4, -1e4),
      labels: ['a', 'b'],
    });
    expect(huge.loss).toBe(1e4);
    const equal = classificationMetrics({
      actual: [2],
      logits: new Float32Array(5),
      labels: ['a', 'b', 'c', 'd', 'e'],
    });
    expect(equal.loss).toBeCloseTo(Math.log(5), 12);
  });

  it('agree with a naive implementation on random input', () => {
    const random = createRandom(1);
    for (let round = 0; round < 100; round++) {
      const k = 2 + random.below(8);
      const labels = Array.from({ length: k }, (_, i) => `l${i}`);
      const actual = Array.from({ length: 1 + random.below(80) }, () => Math.floor(k * random.next() ** 2));
      const logits = Float32Array.from({ length: actual.length * k }, () => 3 * random.normal());
      const metrics = classificationMetrics({ actual: Int32Array.from(actual), logits, labels });
      expect(metricsSchema.parse(metrics)).toEqual(metrics);
      const naive = naiveMetrics(actual, [...logits], labels);
      expect(metrics.confusion).toEqual(naive.confusion);
      for (const name of [
        'loss',
        'accuracy',
        'majorityAccuracy',
        'macroPrecision',
        'macroRecall',
        'macroF1',
        'examples',
      ] as const) {
        expect(metrics[name]).toBeCloseTo(naive[name], 10);
      }
      metrics.perClass.forEach((scores, c) => {
        for (const name of ['precision', 'recall', 'f1', 'support'] as const) {
          expect(scores[name]).toBeCloseTo(naive.perClass[c]?.[name] ?? Number.NaN, 10);
        }
      });
    }
  });

  it('refuse sizes that do not fit together', () => {
    expect(() => classificationMetrics({ actual: [0], logits: new Float32Array(3), labels: ['a', 'b'] })).toThrow(
      RangeError,
    );
    expect(() => classificationMetrics({ actual: [2], logits: new Float32Array(2), labels: ['a', 'b'] })).toThrow(
      RangeError,
    );
  });
});
