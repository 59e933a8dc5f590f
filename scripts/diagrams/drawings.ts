// Every diagram of the guide, drawn from code: what is data-driven is computed, and the same code gives the same bytes.
import type { Drawing } from './draw.ts';
import { fitting } from './fitting.ts';
import { learning } from './learning.ts';
import { models } from './models.ts';
import { roadmap } from './roadmap.ts';
import { scores } from './scores.ts';
import { transformers } from './transformers.ts';
import { tuning } from './tuning.ts';

export const drawings: readonly Drawing[] = [
  ...learning,
  ...fitting,
  ...models,
  ...scores,
  ...transformers,
  ...tuning,
  ...roadmap,
];
