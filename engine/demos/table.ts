// Every demo, in the order of the guide. A new one is a file beside this and a line here.
import type { Demo } from './demo.ts';
import { kMeans } from './k-means.ts';
import { overfitting } from './overfitting.ts';
import { threshold } from './threshold.ts';

const table = {
  overfitting,
  'k-means': kMeans,
  threshold,
} as const satisfies { readonly [id: string]: Demo };

export const demoTable: readonly Demo[] = Object.values(table);
