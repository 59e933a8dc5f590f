// MSE, RMSE, MAE and R² from targets and predictions; bias, variance and expected error from repeated predictions.
import { type Calculation, type Calculator, computed, missing } from './calculation.ts';
import { readField, readLists } from './read-numbers.ts';
import { show } from './show.ts';

const mean = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / values.length;

export function scoreRegression(targets: readonly number[], predictions: readonly number[]) {
  const errors = targets.map((target, index) => target - (predictions[index] ?? Number.NaN));
  const mse = mean(errors.map((error) => error * error));
  const spread = mean(targets.map((target) => (target - mean(targets)) ** 2));
  return { errors, mse, rmse: Math.sqrt(mse), mae: mean(errors.map(Math.abs)), r2: 1 - mse / spread };
}

const asked = {
  mse: /\bmse\b|mean squared error|squared error/,
  rmse: /\brmse\b|root mean/,
  mae: /\bmae\b|mean absolute|absolute error/,
  r2: /\br\s?(?:2|²|squared)\b|\br\^2|coefficient of determination/,
};

export const regression: Calculator = ({ text, asksForNumber }) => {
  const wanted = (['mse', 'rmse', 'mae', 'r2'] as const).filter((metric) => asked[metric].test(text));
  if (wanted.length === 0) return undefined;
  const section = 'evaluation-metrics#regression-metrics';
  const direct = readField(text, { names: 'mse|mean squared error' });
  const lists = readLists(text).filter((list) => list.length >= 2);
  if (lists.length < 2 && direct !== undefined && wanted.includes('rmse')) {
    return computed({
      result: `**RMSE = ${show(Math.sqrt(direct))}**.`,
      working: [`RMSE = √MSE = √${show(direct)} = ${show(Math.sqrt(direct))}`],
      section,
    });
  }
  if (lists.length === 1 && /\berrors?\b.*[[(]|\bresiduals?\b/.test(text)) {
    const [errors = []] = lists;
    return computed(fromErrors(errors, wanted));
  }
  const [first, second] = lists;
  if (!first || !second) {
    if (!asksForNumber || lists.length === 0) return undefined;
    return missing({
      what: wanted[0]?.toUpperCase() ?? 'MSE',
      missing: ['both lists: the targets and the predictions'],
      example: 'RMSE for targets [3, 5, 2] and predictions [2.5, 5, 4]',
      section,
    });
  }
  if (first.length !== second.length) {
    return missing({
      what: wanted[0]?.toUpperCase() ?? 'MSE',
      missing: [`lists of equal length (these have ${first.length} and ${second.length})`],
      example: 'RMSE for targets [3, 5, 2] and predictions [2.5, 5, 4]',
      section,
    });
  }
  const predictionsFirst = /pred\w*[^[(]*[[(][^\])]*[\])].*(?:true|actual|target|label|y\b)/.test(text);
  const [targets, predictions] = predictionsFirst ? [second, first] : [first, second];
  const scores = scoreRegression(targets, predictions);
  const names = { mse: 'MSE', rmse: 'RMSE', mae: 'MAE', r2: 'R²' };
  const n = targets.length;
  const lines = {
    mse: `MSE  = mean of squares = ${show(scores.mse * n)} / ${n} = ${show(scores.mse)}`,
    rmse: `RMSE = √MSE = ${show(scores.rmse)}`,
    mae: `MAE  = mean of |errors| = ${show(scores.mae * n)} / ${n} = ${show(scores.mae)}`,
    r2: `R²   = 1 − MSE / variance of the targets = 1 − ${show(scores.mse)} / ${show(mean(targets.map((t) => (t - mean(targets)) ** 2)))} = ${show(scores.r2)}`,
  };
  const shown = (['mse', 'rmse', 'mae', 'r2'] as const).filter(
    (metric) => wanted.includes(metric) || (metric === 'mse' && wanted.includes('rmse')),
  );
  return computed({
    result: `**${wanted.map((metric) => `${names[metric]} = ${show(scores[metric])}`).join(', ')}**.`,
    working: [`errors = [${scores.errors.map(show).join(', ')}]`, ...shown.map((metric) => lines[metric])],
    section,
  });
};

function fromErrors(errors: readonly number[], wanted: readonly ('mse' | 'rmse' | 'mae' | 'r2')[]): Calculation {
  const mse = mean(errors.map((error) => error * error));
  const values = { mse, rmse: Math.sqrt(mse), mae: mean(errors.map(Math.abs)) };
  const results = wanted.flatMap((metric) =>
    metric === 'r2' ? [] : [`${metric.toUpperCase()} = ${show(values[metric])}`],
  );
  return {
    result: `**${results.join(', ')}**.`,
    working: [`squares = [${errors.map((error) => show(error * error)).join(', ')}], mean ${show(mse)}`, ...results],
    section: 'evaluation-metrics#regression-metrics',
  };
}

export const biasVariance: Calculator = ({ text, asksForNumber }) => {
  if (!/\bbias\b/.test(text) || !/\bvariance\b/.test(text)) return undefined;
  const section = 'bias-variance#decomposition';
  const lists = readLists(text).filter((list) => list.length >= 2);
  const truth = readField(text, {
    names: 'true(?: value| answer| target)?|truth|target|actual|correct value',
  });
  const [predictions] = lists;
  if (predictions && truth !== undefined) {
    const bias = mean(predictions) - truth;
    const variance = mean(predictions.map((value) => (value - mean(predictions)) ** 2));
    return computed({
      result: `**Bias = ${show(bias)}, bias² = ${show(bias * bias)}, variance = ${show(variance)}**, together an expected squared error of ${show(bias * bias + variance)}.`,
      working: [
        `mean prediction = ${show(mean(predictions))}`,
        `bias = ${show(mean(predictions))} − ${show(truth)} = ${show(bias)}`,
        `variance = mean of (prediction − mean)² = ${show(variance)}`,
        `bias² + variance = ${show(bias * bias)} + ${show(variance)} = ${show(bias * bias + variance)}`,
      ],
      note: 'Noise in the target, if there is any, comes on top.',
      section,
    });
  }
  const squared = readField(text, { names: String.raw`bias(?:\^?2|²| squared)` });
  const bias = readField(text, { names: 'bias' });
  const variance = readField(text, { names: 'variance|var' });
  const noise = readField(text, { names: 'noise|irreducible(?: error)?' }) ?? 0;
  if (
    variance === undefined ||
    (bias === undefined && squared === undefined) ||
    !(asksForNumber || /error|mse|total/.test(text))
  )
    return undefined;
  const square = squared ?? (bias ?? 0) ** 2;
  return computed({
    result: `**Expected squared error = ${show(square + variance + noise)}**.`,
    working: [
      `bias² + variance + noise = ${show(square)} + ${show(variance)} + ${show(noise)} = ${show(square + variance + noise)}`,
    ],
    ...(noise === 0 ? { note: 'No noise was given, so 0 is taken.' } : {}),
    section,
  });
};
