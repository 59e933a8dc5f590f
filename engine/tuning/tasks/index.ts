// The one table of tasks a run can have.
import type { TaskName } from '../../runs/spec.ts';
import { causalLm } from './causal-lm.ts';
import { imageClassification } from './image-classification.ts';
import { imageText } from './image-text.ts';
import { maskedLm } from './masked-lm.ts';
import { regression } from './regression.ts';
import type { Task } from './task.ts';
import { textClassification } from './text-classification.ts';
import { tokenClassification } from './token-classification.ts';

export const tasks: { readonly [T in TaskName]: Task<T> } = {
  'text-classification': textClassification,
  regression,
  'token-classification': tokenClassification,
  'masked-lm': maskedLm,
  'causal-lm': causalLm,
  'image-classification': imageClassification,
  'image-text': imageText,
};
