// Numeric questions: the calculators tried in turn, on the question alone or as a follow-up to the sum before it.
import type { Calculator, Outcome } from './calculation.ts';
import { classification } from './classification.ts';
import { convolution, denseParameters, splits } from './layers.ts';
import { lora } from './lora.ts';
import { kvCache, memory, tokensAndWords, trainingOperations } from './memory.ts';
import { bayes, crossEntropy, impurity, perplexity, softmaxOf } from './probability.ts';
import { normaliseNumbers } from './read-numbers.ts';
import { biasVariance, regression } from './regression.ts';
import { effectiveBatch, schedule, steps, trainingTime } from './steps.ts';
import { distances, scaling } from './vectors.ts';

const calculators: readonly Calculator[] = [
  kvCache,
  trainingOperations,
  effectiveBatch,
  trainingTime,
  schedule,
  steps,
  bayes,
  classification,
  perplexity,
  crossEntropy,
  softmaxOf,
  impurity,
  regression,
  biasVariance,
  distances,
  scaling,
  convolution,
  lora,
  memory,
  denseParameters,
  splits,
  tokensAndWords,
];

const asksForNumberPattern =
  /\b(?:calculate|compute|work out|how (?:many|much|big|large|long)|count|what(?:'?s| is| are| would)|find|give me|get|determine|estimate|total)\b|[=?]\s*$/;
/** Who asks why, or reports a score, wants words and not a sum. */
const wantsWords = /^\W*(?:why|how come|should i|is it (?:ok|normal|bad|good)|what (?:does|do) .* mean|my )/;

/** @returns undefined when nothing is to be computed. */
export function compute(question: string): Outcome | undefined {
  const text = normaliseNumbers(question);
  if (!/\d/.test(text) || wantsWords.test(text)) return undefined;
  const asked = { text, asksForNumber: asksForNumberPattern.test(text) };
  for (const calculator of calculators) {
    const outcome = calculator(asked);
    if (outcome) return outcome;
  }
  return undefined;
}

/** "and with r = 16?" after a sum: the earlier question with the numbers of the new one over its own. */
export function computeAgain(before: string, question: string): Outcome | undefined {
  if (!/\d/.test(question) || wantsWords.test(normaliseNumbers(question)) || !compute(before)) return undefined;
  const outcome = compute(`${before}\n${question}`);
  return outcome?.kind === 'computed' ? outcome : undefined;
}
