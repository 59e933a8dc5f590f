// What a live demo is: typed controls, a small computation, a picture of it, and words that follow from its numbers.
import type { Figure } from '../charts/figure.ts';
import type { Random } from '../random.ts';

/** A section of the guide, `chapter#section`. */
export type SectionId = `${string}#${string}`;

interface ControlBase {
  readonly label: string;
  /** Shown only while another control has one of these values. */
  readonly when?: { readonly control: string; readonly is: readonly string[] };
}

export interface NumberControl extends ControlBase {
  readonly kind: 'number';
  readonly min: number;
  readonly max: number;
  readonly standard: number;
  readonly whole: boolean;
  /** Values offered to choose from, ascending; any other within the bounds may be typed. */
  readonly stops: readonly number[];
}

interface ChoiceControl<Value extends string = string> extends ControlBase {
  readonly kind: 'choice';
  readonly standard: Value;
  /** Value → how it is shown. */
  readonly options: { readonly [V in Value]: string };
}

interface TextControl extends ControlBase {
  readonly kind: 'text';
  readonly standard: string;
  readonly maxLength: number;
}

export type Control = NumberControl | ChoiceControl | TextControl;
export interface Controls {
  readonly [name: string]: Control;
}

type ValueOf<C extends Control> = C extends NumberControl
  ? number
  : C extends { readonly kind: 'choice'; readonly options: infer Options }
    ? keyof Options & string
    : string;

/** The value of every control, by its name. */
type Values<C extends Controls> = { readonly [Name in keyof C]: ValueOf<C[Name]> };

/** Values of a demo's controls, whichever demo it is. */
export interface AnyValues {
  readonly [name: string]: number | string;
}

/** What a sentence encoder looked at on its way. */
export interface Encoding {
  readonly words: readonly string[];
  /** Of each head, for each word, how it shares its attention among all words: rows sum to 1. */
  readonly attention: readonly (readonly Float32Array[])[];
  /** How much each word counts in the whole; sums to 1. */
  readonly pooling: Float32Array;
}

interface DemoContext {
  /** Seeded: the same seed gives the same data, the same result, the same picture. */
  readonly random: Random;
  readonly seed: number;
  /** The prose of the guide, a paragraph or so each: text to count in and to learn tokens from. */
  readonly corpus: readonly string[];
  /** Only a demo that needs an encoder may ask for it. */
  readonly encode: (text: string) => Promise<Encoding>;
}

/** What is said below the picture: a verdict that names the numbers, and the sections that teach it. */
interface Explanation {
  readonly markdown: string;
  /** The most fitting first. */
  readonly cites: readonly SectionId[];
}

interface DemoFace {
  /** In addresses and commands: lower case, hyphens. */
  readonly id: string;
  readonly title: string;
  /** One line for the gallery. */
  readonly summary: string;
  /** The chapter it belongs to in the gallery, by its most telling section. */
  readonly home: SectionId;
  /** Further chapters whose answers offer it. */
  readonly alsoFor?: readonly string[];
  /** False where nothing is drawn at random: another seed shows the same. */
  readonly seeded?: false;
  /** Left out where there is none. */
  readonly needs?: 'encoder';
}

interface DemoParts<C extends Controls, Result> extends DemoFace {
  readonly controls: C;
  compute(values: Values<C>, context: DemoContext): Result | Promise<Result>;
  picture(result: Result, values: Values<C>): Figure;
  explain(result: Result, values: Values<C>): Explanation;
}

/** A demo whose result stays its own. */
export interface Demo extends DemoFace {
  readonly controls: Controls;
  /** @param values read by `readValues` of this demo's controls. */
  play(
    values: AnyValues,
    context: DemoContext,
  ): Promise<{ readonly figure: Figure; readonly explanation: Explanation }>;
}

export function defineDemo<const C extends Controls, Result>(parts: DemoParts<C, Result>): Demo {
  const { compute, picture, explain, ...face } = parts;
  return {
    ...face,
    async play(values, context) {
      if (!isFor(parts.controls, values)) throw new TypeError(`${parts.id}: these are not the values of its controls`);
      const result = await compute(values, context);
      return { figure: picture(result, values), explanation: explain(result, values) };
    },
  };
}

function isFor<C extends Controls>(controls: C, values: AnyValues): values is AnyValues & Values<C> {
  return Object.entries(controls).every(([name, control]) => {
    const value = values[name];
    if (control.kind === 'number') return typeof value === 'number';
    return typeof value === 'string' && (control.kind !== 'choice' || Object.hasOwn(control.options, value));
  });
}

/** A whole number to choose. */
export function whole(
  label: string,
  { stops, standard, min, max }: { stops: readonly number[]; standard: number; min?: number; max?: number },
): NumberControl {
  return { kind: 'number', label, standard, stops, whole: true, ...bounds(stops, min, max) };
}

/** Any number to choose. */
export function real(
  label: string,
  { stops, standard, min, max }: { stops: readonly number[]; standard: number; min?: number; max?: number },
): NumberControl {
  return { kind: 'number', label, standard, stops, whole: false, ...bounds(stops, min, max) };
}

const bounds = (stops: readonly number[], min = Math.min(...stops), max = Math.max(...stops)) => ({ min, max });

/** One of several named values. */
export function choice<const Options extends { readonly [value: string]: string }>(
  label: string,
  standard: keyof Options & string,
  options: Options,
) {
  return { kind: 'choice' as const, label, standard, options };
}

/** The same control, shown only while another has one of these values. */
export function shownWhen<C extends Control>(control: string, is: readonly string[], shown: C): C {
  return { ...shown, when: { control, is } };
}
