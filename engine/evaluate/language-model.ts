// Adds up how well tokens were guessed.
import type { LanguageModelMetrics } from '../runs/events.ts';

export interface LanguageModelScores {
  /** @param losses, hits, weights one number a token; weight 0 where nothing is guessed. */
  add(losses: Float32Array, hits: Float32Array, weights: Float32Array): void;
  finish(examples: number): LanguageModelMetrics;
}

export function createLanguageModelScores(): LanguageModelScores {
  let loss = 0;
  let hit = 0;
  let tokens = 0;
  return {
    add(losses, hits, weights) {
      for (let i = 0; i < weights.length; i++) {
        if (weights[i] === 0) continue;
        loss += losses[i] ?? Number.NaN;
        hit += hits[i] ?? 0;
        tokens++;
      }
    },
    finish(examples) {
      const mean = tokens === 0 ? 0 : loss / tokens;
      return {
        kind: 'language-model',
        loss: mean,
        perplexity: Math.exp(mean),
        tokenAccuracy: tokens === 0 ? 0 : hit / tokens,
        tokens,
        examples,
      };
    },
  };
}
