// Every demo, in the order of the guide. A new one is a file beside this and a line here.

import { attention } from './attention.ts';
import { biasVariance } from './bias-variance.ts';
import { crossValidation } from './cross-validation.ts';
import { decisionBoundary } from './decision-boundary.ts';
import type { Demo } from './demo.ts';
import { distance } from './distance.ts';
import { dropout } from './dropout.ts';
import { ensembles } from './ensembles.ts';
import { gradientDescent } from './gradient-descent.ts';
import { kMeans } from './k-means.ts';
import { lora } from './lora.ts';
import { overfitting } from './overfitting.ts';
import { pca } from './pca.ts';
import { regularisation } from './regularisation.ts';
import { sampling } from './sampling.ts';
import { schedule } from './schedule.ts';
import { threshold } from './threshold.ts';
import { tokens } from './tokens.ts';

const table = {
  overfitting,
  'k-means': kMeans,
  'bias-variance': biasVariance,
  'decision-boundary': decisionBoundary,
  distance,
  'gradient-descent': gradientDescent,
  regularisation,
  'cross-validation': crossValidation,
  pca,
  ensembles,
  dropout,
  tokens,
  lora,
  schedule,
  sampling,
  threshold,
  attention,
} as const satisfies { readonly [id: string]: Demo };

export const demoTable: readonly Demo[] = Object.values(table);
