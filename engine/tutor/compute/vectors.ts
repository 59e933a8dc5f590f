// Distances and cosine of two vectors, and scaling of a list of numbers.
import { type Calculator, computed, missing, type SectionKey } from './calculation.ts';
import { readField, readLists } from './read-numbers.ts';
import { show } from './show.ts';

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const norm = (vector: readonly number[]) => Math.sqrt(sum(vector.map((x) => x * x)));

function euclidean(a: readonly number[], b: readonly number[]): number {
  return norm(a.map((x, index) => x - (b[index] ?? 0)));
}

function manhattan(a: readonly number[], b: readonly number[]): number {
  return sum(a.map((x, index) => Math.abs(x - (b[index] ?? 0))));
}

export function cosine(a: readonly number[], b: readonly number[]): number {
  return sum(a.map((x, index) => x * (b[index] ?? 0))) / (norm(a) * norm(b));
}

export const distances: Calculator = ({ text, asksForNumber }) => {
  const wanted = [
    ...(/euclid/.test(text) || (/\bdistance\b/.test(text) && !/manhattan|cosine|l1\b/.test(text))
      ? ['euclidean' as const]
      : []),
    ...(/manhattan|city[\s-]?block|l1 distance/.test(text) ? ['manhattan' as const] : []),
    ...(/cosine/.test(text) && !/schedul|decay|learning rate|\blr\b|step/.test(text) ? ['cosine' as const] : []),
  ];
  if (wanted.length === 0) return undefined;
  const section: SectionKey = wanted.includes('cosine') ? 'neural-networks#embeddings' : 'algorithms#knn';
  const [a, b] = readLists(text).filter((list) => list.length >= 2);
  if (!a || !b) {
    if (!a || !asksForNumber) return undefined;
    return missing({
      what: `the ${wanted[0]} of two vectors`,
      missing: ['the second vector'],
      example: `${wanted[0]} distance between [1, 2] and [4, 6]`,
      section,
    });
  }
  if (a.length !== b.length) {
    return missing({
      what: `the ${wanted[0]} of two vectors`,
      missing: [`vectors of equal length (these have ${a.length} and ${b.length})`],
      example: `${wanted[0]} distance between [1, 2] and [4, 6]`,
      section,
    });
  }
  const differences = a.map((x, index) => x - (b[index] ?? 0));
  const dot = sum(a.map((x, index) => x * (b[index] ?? 0)));
  const parts = {
    euclidean: {
      result: `Euclidean distance = ${show(euclidean(a, b))}`,
      line: `√(${differences.map((d) => `${show(d)}²`).join(' + ')}) = √${show(sum(differences.map((d) => d * d)))} = ${show(euclidean(a, b))}`,
    },
    manhattan: {
      result: `Manhattan distance = ${show(manhattan(a, b))}`,
      line: `${differences.map((d) => `|${show(d)}|`).join(' + ')} = ${show(manhattan(a, b))}`,
    },
    cosine: {
      result: `cosine similarity = ${show(cosine(a, b))}`,
      line: `a·b / (|a|·|b|) = ${show(dot)} / (${show(norm(a))} · ${show(norm(b))}) = ${show(cosine(a, b))}`,
    },
  };
  return computed({
    result: `**${capitalise(wanted.map((name) => parts[name].result).join(', '))}**.`,
    working: wanted.map((name) => parts[name].line),
    section,
  });
};

export const scaling: Calculator = ({ text, asksForNumber }) => {
  const wantsZ = /standardi[sz]|z-?scores?|\bz score/.test(text);
  const wantsRange = /min[\s-]?max|\bnormali[sz]e\b.*\b(?:0|zero) (?:to|and) (?:1|one)|scale .*between 0 and 1/.test(
    text,
  );
  if (!wantsZ && !wantsRange) return undefined;
  const section = 'data-preparation#scaling';
  const stripped = text.replace(/between 0 and 1|0 to 1|from 0 to 1|\b0-1\b|\[0, ?1\]/g, ' ');
  const list = readLists(stripped).find((values) => values.length >= 2);
  const value = readField(stripped, { names: 'value|x|for|standardi[sz]e|scale|score|z-score of' });
  if (wantsZ) {
    const center = readField(stripped, { names: 'mean|mu|average|μ' });
    const spread = readField(stripped, { names: 'standard deviation|std(?: ?dev)?|sd|sigma|σ' });
    if (value !== undefined && center !== undefined && spread !== undefined) {
      const z = (value - center) / spread;
      return computed({
        result: `**z = ${show(z)}**.`,
        working: [`z = (x − mean) / sd = (${show(value)} − ${show(center)}) / ${show(spread)} = ${show(z)}`],
        section,
      });
    }
    if (center === undefined && spread === undefined && list) {
      const mean = sum(list) / list.length;
      const sd = Math.sqrt(sum(list.map((x) => (x - mean) ** 2)) / list.length);
      return computed({
        result: `**Standardised: [${list.map((x) => show((x - mean) / sd)).join(', ')}]**.`,
        working: [
          `mean = ${show(mean)}`,
          `sd   = ${show(sd)} (divided by n, as scikit-learn does)`,
          `z    = (x − mean) / sd`,
        ],
        section,
      });
    }
    if (!asksForNumber || (center === undefined && spread === undefined)) return undefined;
    return missing({
      what: 'the z-score',
      missing: [
        ...(value === undefined ? ['the value'] : []),
        ...(center === undefined ? ['the mean'] : []),
        ...(spread === undefined ? ['the standard deviation'] : []),
      ],
      example: 'standardise x=75 with mean 60 and sd 10',
      section,
    });
  }
  const low = readField(stripped, { names: 'min(?:imum)?(?!-)' });
  const high = readField(stripped, { names: 'max(?:imum)?' });
  if (value !== undefined && low !== undefined && high !== undefined) {
    const scaled = (value - low) / (high - low);
    return computed({
      result: `**Scaled value = ${show(scaled)}**.`,
      working: [
        `(x − min) / (max − min) = (${show(value)} − ${show(low)}) / (${show(high)} − ${show(low)}) = ${show(scaled)}`,
      ],
      section,
    });
  }
  if (!list) return undefined;
  const [least, most] = [Math.min(...list), Math.max(...list)];
  return computed({
    result: `**Min-max scaled: [${list.map((x) => show((x - least) / (most - least))).join(', ')}]**.`,
    working: [`(x − min) / (max − min), min = ${show(least)}, max = ${show(most)}`],
    section,
  });
};

const capitalise = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
