// How well an embedder finds sections: each text of a section speaks for it, the nearest one wins.
import { createEncoder, type EncoderShape, type EncoderWeights } from '../../knowledge/embed/encoder.ts';
import { chaptersOf, readQuestions } from '../../test/support/eval-questions.ts';
import type { Subject } from './texts.ts';

interface HeldOut {
  readonly key: string;
  readonly ask: string;
}

export function measureHeldOut(
  shape: EncoderShape,
  weights: EncoderWeights,
  subjects: readonly Subject[],
  heldOut: readonly HeldOut[],
): string {
  const rank = createRanking(shape, weights, subjects);
  const first = heldOut.filter(({ key, ask }) => rank(ask)[0] === key).length;
  const five = heldOut.filter(({ key, ask }) => rank(ask).slice(0, 5).includes(key)).length;
  return `recall@1 ${(first / heldOut.length).toFixed(3)}, @5 ${(five / heldOut.length).toFixed(3)} of ${heldOut.length}`;
}

/** On the development half: by chapter. */
export function measureQuestions(shape: EncoderShape, weights: EncoderWeights, subjects: readonly Subject[]): string {
  const rank = createRanking(shape, weights, subjects);
  const questions = readQuestions('dev').filter(({ kind }) => kind === 'answerable');
  const found = questions.map((question) => {
    const chapters = chaptersOf(question);
    const ranks = rank(question.turns.join(' '))
      .slice(0, 5)
      .map((key) => chapters.includes(key.split('#')[0] ?? ''));
    return { first: ranks[0] === true, five: ranks.includes(true) };
  });
  const share = (flags: readonly boolean[]) => (flags.filter(Boolean).length / flags.length).toFixed(3);
  return `dev questions, by vectors alone: recall@1 ${share(found.map(({ first }) => first))}, @5 ${share(found.map(({ five }) => five))}`;
}

function createRanking(
  shape: EncoderShape,
  weights: EncoderWeights,
  subjects: readonly Subject[],
): (text: string) => string[] {
  const encode = createEncoder(shape, weights);
  const entries = subjects.flatMap(({ key, asks, titles, sentences }) =>
    [...asks, ...titles, ...sentences].map((text) => ({ key, vector: encode(text).vector })),
  );
  return (text) => {
    const { vector } = encode(text);
    const best = new Map<string, number>();
    for (const entry of entries) {
      let similarity = 0;
      for (let i = 0; i < vector.length; i++) similarity += (vector[i] ?? 0) * (entry.vector[i] ?? 0);
      best.set(entry.key, Math.max(best.get(entry.key) ?? -1, similarity));
    }
    return [...best].sort((a, b) => b[1] - a[1]).map(([key]) => key);
  };
}
