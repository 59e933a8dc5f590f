// What a calculator is: numbers in a question → a result with its working, or the numbers that are still missing.

/** A section of the guide: `chapter#section`. */
export type SectionKey = `${string}#${string}`;

export interface Calculation {
  /** What was computed, in one sentence with the numbers: it opens the answer. Markdown. */
  readonly result: string;
  /** The steps, one a line, as plain text. */
  readonly working: readonly string[];
  /** What to keep in mind when reading the result. */
  readonly note?: string;
  /** The section that teaches the formula. */
  readonly section: SectionKey;
}

export interface MissingNumbers {
  /** What is being computed: `F1`. */
  readonly what: string;
  /** What has to be given, in words. */
  readonly missing: readonly string[];
  /** What would be understood. */
  readonly example: string;
  readonly section: SectionKey;
}

export type Outcome =
  | { readonly kind: 'computed'; readonly calculation: Calculation }
  | { readonly kind: 'missing'; readonly needs: MissingNumbers };

interface NumericQuestion {
  /** Lower case, without thousands separators, curly signs made plain. */
  readonly text: string;
  /** Whether it asks for a number in so many words: "calculate", "how many", "what is … if". */
  readonly asksForNumber: boolean;
}

/** @returns undefined when the question is not for this calculator. */
export type Calculator = (question: NumericQuestion) => Outcome | undefined;

export function computed(calculation: Calculation): Outcome {
  return { kind: 'computed', calculation };
}

export function missing(needs: MissingNumbers): Outcome {
  return { kind: 'missing', needs };
}
