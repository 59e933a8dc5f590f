// Masked language modelling: a share of the tokens is hidden and guessed from both sides (Devlin et al. 2018).

import { readTexts } from '../../data/documents.ts';
import { normalizeText } from '../../data/normalize.ts';
import type { Tokenizer } from '../../data/tokenizer.ts';
import { UserError } from '../../errors.ts';
import { probabilities } from '../../evaluate/probabilities.ts';
import type { Base } from '../../models/base.ts';
import { createRandom, type Random } from '../../random.ts';
import type { SpecOf } from '../../runs/spec.ts';
import { tokenObjective } from '../losses.ts';
import { mixSeeds } from '../noise.ts';
import { chooseSamples } from './samples.ts';
import { readSides, type Sides } from './sides.ts';
import type { EncodedTask, Task } from './task.ts';
import { textInputs } from './text-batches.ts';
import { type GuessedText, guessingBatch, measureGuesses } from './token-targets.ts';

type Spec = SpecOf<'masked-lm'>;

/** Of the chosen tokens: so many become the mask, so many another token; the rest stays as it is. */
const shares = { masked: 0.8, random: 0.1 } as const;
const shownGuesses = 5;

export const maskedLm: Task<'masked-lm'> = {
  async read(spec) {
    const { data, hyper } = spec;
    const sides = await readSides(data, hyper.seed, (path) => readTexts(path, data.columns.text), normalizeText);
    const { train, held, warnings } = sides;
    return {
      head: { kind: 'masked-lm' },
      labels: [],
      texts: train,
      trainExamples: train.length,
      warnings,
      fingerprint: [...train, ...held].map((text) => JSON.stringify(text)),
      encode: (base, { maxLength }) => encode(spec, sides, base, maxLength),
    };
  },
  async predict(network, { base, maxLength }, texts) {
    const { tokenizer } = base;
    const maskId = maskOf(base);
    const predictions = [];
    for (const text of texts) {
      const ids = tokenizer.encode(text, maxLength);
      const holes = ids.flatMap((id, index) => (id === maskId ? [index] : []));
      if (holes.length === 0) {
        throw new UserError(
          `There is nothing to fill in: the text has no ${tokenizer.decodeAll([maskId])}.`,
          `Write ${tokenizer.decodeAll([maskId])} where a word is to be guessed.`,
        );
      }
      const { inputs } = textInputs([ids], 1, { padId: tokenizer.padId, maxLength });
      const logits = await network.answer(inputs, Int32Array.from(holes));
      const rows = probabilities(logits, logits.length / holes.length);
      const filled = ids.slice();
      const hidden = rows.map((row, hole) => {
        const best = row
          .map((score, id) => ({ score, id }))
          .sort((a, b) => b.score - a.score)
          .slice(0, shownGuesses);
        filled[holes[hole] ?? 0] = best[0]?.id ?? maskId;
        return best.map(({ score, id }) => ({ token: tokenizer.decode([id]).trim(), score }));
      });
      predictions.push({ kind: 'filled', text: tokenizer.decode(filled), hidden } as const);
    }
    return predictions;
  },
  pipeline: 'fill-mask',
  peftType: 'FEATURE_EXTRACTION',
};

function maskOf(base: Base): number {
  const { maskId } = base.tokenizer;
  if (maskId !== undefined) return maskId;
  throw new UserError(
    `The tokenizer of ${base.source} has no mask token, so it cannot guess hidden words.`,
    'Use an encoder such as BERT, or the task causal-lm.',
  );
}

function encode({ hyper }: Spec, { train, held }: Sides<string>, base: Base, maxLength: number): EncodedTask {
  const { tokenizer } = base;
  const maskId = maskOf(base);
  const shape = { padId: tokenizer.padId, maxLength };
  const encodeAll = (set: readonly string[]) => set.map((text) => tokenizer.encode(text, maxLength));
  const { ids: around, opening } = tokenizer.wrap([], maxLength);
  const closing = around.length - opening;
  const trained = encodeAll(train);
  const hide = (ids: readonly number[], seed: number) =>
    hideTokens(ids, { opening, closing, share: hyper.maskShare, maskId, tokenizer }, createRandom(seed));
  // The same words are hidden at every evaluation.
  const measured = encodeAll(held).map((ids, index) => hide(ids, mixSeeds(hyper.seed, index, 3)));
  return {
    objective: tokenObjective(0),
    lengths: trained.map((ids) => ids.length),
    heldExamples: held.length,
    warnings: [],
    trainingBatch: (chosen, rows, seed) =>
      guessingBatch(
        chosen.map((index, row) => hide(trained[index] ?? [], mixSeeds(seed, row, 5))),
        rows,
        shape,
      ),
    async measure(network) {
      return {
        metrics: await measureGuesses(network, measured, hyper.batchSize, shape),
        async samples() {
          const samples = [];
          for (const index of chooseSamples(held.length, hyper.seed)) {
            const { ids, guesses } = measured[index] ?? { ids: [], guesses: [] };
            const holes = guesses.flatMap((guess, at) => (guess !== undefined && ids[at] === maskId ? [at] : []));
            if (holes.length === 0) continue;
            const { inputs } = textInputs([ids], 1, shape);
            const logits = await network.answer(inputs, Int32Array.from(holes));
            const best = probabilities(logits, logits.length / holes.length).map((row) =>
              row.indexOf(Math.max(...row)),
            );
            samples.push({
              text: tokenizer.decodeAll(ids.slice(opening, ids.length - closing)),
              actual: holes.map((at) => tokenizer.decode([guesses[at] ?? 0]).trim()).join(' '),
              predicted: best.map((id) => tokenizer.decode([id]).trim()).join(' '),
            });
          }
          return samples;
        },
      };
    },
    record: {},
  };
}

/** Hides about `share` of the tokens, at least one, never one that stands around every text. */
function hideTokens(
  ids: readonly number[],
  around: {
    readonly opening: number;
    readonly closing: number;
    readonly share: number;
    readonly maskId: number;
    readonly tokenizer: Tokenizer;
  },
  random: Random,
): GuessedText {
  const places = Array.from(
    { length: Math.max(0, ids.length - around.opening - around.closing) },
    (_, index) => index + around.opening,
  );
  const chosen = random.shuffle(places).slice(0, Math.max(1, Math.round(around.share * places.length)));
  const hidden = ids.slice();
  const guesses: (number | undefined)[] = ids.map(() => undefined);
  for (const place of chosen) {
    guesses[place] = ids[place];
    const drawn = random.next();
    if (drawn < shares.masked) hidden[place] = around.maskId;
    else if (drawn < shares.masked + shares.random) hidden[place] = random.below(around.tokenizer.vocabularySize);
  }
  return { ids: hidden, guesses };
}
