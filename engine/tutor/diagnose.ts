// What a run's own curves say of it: learnt by heart, hardly learnt, not done yet, or well; with the place in the guide.

interface CurvePoint {
  readonly step: number;
  readonly loss: number;
}

export interface Curves {
  readonly train: readonly CurvePoint[];
  readonly held: readonly CurvePoint[];
}

export type Fit = 'diverges' | 'overfits' | 'underfits' | 'unfinished' | 'fits';

export interface Diagnosis {
  readonly fit: Fit;
  /** One or two sentences, with the figures of this run. */
  readonly words: string;
  /** Where the guide explains it. */
  readonly chapterId: string;
  readonly sectionId: string;
}

/** Relative changes of a loss smaller than this are noise. */
const noticeable = 0.03;
/** A run whose loss fell by less than this has hardly learnt. */
const littleLearnt = 0.1;

const sections: { readonly [F in Fit]: { readonly chapterId: string; readonly sectionId: string } } = {
  diverges: { chapterId: 'hyperparameters', sectionId: 'learning-rate' },
  overfits: { chapterId: 'overfitting-underfitting', sectionId: 'overfitting' },
  underfits: { chapterId: 'overfitting-underfitting', sectionId: 'underfitting' },
  unfinished: { chapterId: 'hyperparameters', sectionId: 'epochs' },
  fits: { chapterId: 'overfitting-underfitting', sectionId: 'diagnosis' },
};

/** @returns undefined where there is too little to tell: fewer than three evaluations, or losses that are no numbers. */
export function diagnose({ train, held }: Curves): Diagnosis | undefined {
  const [first] = held;
  const last = held.at(-1);
  if (first === undefined || last === undefined || held.length < 3 || train.length < 2) return undefined;
  if (![...train, ...held].every(({ loss }) => Number.isFinite(loss))) return undefined;
  const best = held.reduce((lowest, point) => (point.loss < lowest.loss ? point : lowest));
  const before = meanOf(train.filter(({ step }) => step <= best.step));
  const after = meanOf(train.filter(({ step }) => step > best.step));
  const rise = last.loss / best.loss - 1;
  if (best.step < last.step && rise > noticeable && after !== undefined && before !== undefined && after < before) {
    return say(
      'overfits',
      `Your training loss keeps falling while the held-out loss rises since step ${best.step}, from ${show(best.loss)} to ${show(last.loss)}: overfitting. The weights of step ${best.step} are the ones that were kept. More data, fewer epochs or a smaller LoRA rank help.`,
    );
  }
  const tenth = Math.ceil(train.length / 10);
  const begun = meanOf(train.slice(0, tenth)) ?? 0;
  const ended = meanOf(train.slice(-tenth)) ?? 0;
  if (ended > (1 + noticeable) * begun && rise > noticeable) {
    return say(
      'diverges',
      `The training loss itself rose, from ${show(begun)} to ${show(ended)}: the steps are too large. A lower learning rate helps.`,
    );
  }
  const started = Math.max(first.loss, begun);
  if (ended > (1 - littleLearnt) * started && best.loss > (1 - littleLearnt) * started) {
    return say(
      'underfits',
      `The losses hardly fell: training from ${show(started)} to ${show(ended)}, held-out ${show(best.loss)} at best: underfitting. A higher learning rate, more epochs or a pretrained model help.`,
    );
  }
  const earlier = held[Math.floor((held.length * 2) / 3) - 1] ?? first;
  if (best.step === last.step && last.loss < (1 - noticeable) * earlier.loss) {
    return say(
      'unfinished',
      `The held-out loss was still falling at the end, from ${show(earlier.loss)} at step ${earlier.step} to ${show(last.loss)}: more epochs would help.`,
    );
  }
  return say(
    'fits',
    `Both losses fell together and the held-out loss levelled off at ${show(best.loss)}: a healthy fit.`,
  );
}

const say = (fit: Fit, words: string): Diagnosis => ({ fit, words, ...sections[fit] });
const show = (loss: number) => loss.toFixed(loss < 0.1 ? 3 : 2);

function meanOf(points: readonly CurvePoint[]): number | undefined {
  return points.length === 0 ? undefined : points.reduce((sum, { loss }) => sum + loss, 0) / points.length;
}
