// Choosing the next word: a small language model counted from this guide, and what temperature, top-k and top-p leave of it.
import { hues } from '../charts/figure.ts';
import type { Random } from '../random.ts';
import { defineDemo, real, whole } from './demo.ts';
import { percentOf, range, short } from './numbers.ts';
import { splitWords } from './pieces.ts';

const shown = 12;
const sampleLength = 9;
/** Weight of the counts after the last two words; the rest is of those after the last one. */
const weightOfTwo = 0.75;

interface Counts {
  readonly total: number;
  readonly byWord: Map<string, number>;
}

interface Model {
  readonly after: Map<string, Counts>;
}

const models = new WeakMap<readonly string[], Model>();

/** Counts which word follows which one or two words, in texts of letters and punctuation. */
function countWords(corpus: readonly string[]): Model {
  const before = models.get(corpus);
  if (before !== undefined) return before;
  const after = new Map<string, { total: number; byWord: Map<string, number> }>();
  const add = (context: string, word: string) => {
    const counts = after.get(context) ?? { total: 0, byWord: new Map<string, number>() };
    counts.total += 1;
    counts.byWord.set(word, (counts.byWord.get(word) ?? 0) + 1);
    after.set(context, counts);
  };
  for (const text of corpus) {
    const words = text.toLowerCase().match(/[a-z]+(?:['-][a-z]+)*|[.,;:?]/g) ?? [];
    words.forEach((word, at) => {
      const [first, second] = [words[at - 2], words[at - 1]];
      add('', word);
      if (second !== undefined) add(second, word);
      if (first !== undefined && second !== undefined) add(`${first} ${second}`, word);
    });
  }
  const model = { after };
  models.set(corpus, model);
  return model;
}

interface Candidate {
  readonly word: string;
  readonly probability: number;
}

/** Likeliest first. What has followed these words; where nothing has, any word of the guide. */
function nextWords({ after }: Model, words: readonly string[]): readonly Candidate[] {
  const two = words.length < 2 ? undefined : after.get(words.slice(-2).join(' '));
  const one = after.get(words.at(-1) ?? '') ?? after.get('');
  const probabilities = new Map<string, number>();
  const mix = (counts: Counts | undefined, weight: number) => {
    for (const [word, count] of counts?.byWord ?? []) {
      probabilities.set(word, (probabilities.get(word) ?? 0) + (weight * count) / (counts?.total ?? 1));
    }
  };
  mix(two, weightOfTwo);
  mix(one, two === undefined ? 1 : 1 - weightOfTwo);
  return [...probabilities]
    .map(([word, probability]) => ({ word, probability }))
    .sort((a, b) => b.probability - a.probability || (a.word < b.word ? -1 : 1));
}

export interface Filter {
  /** 0 is greedy: only the likeliest is left. */
  readonly temperature: number;
  /** 0 keeps all. */
  readonly topK: number;
  /** 1 keeps all. */
  readonly topP: number;
}

/**
 * Temperature, then the k likeliest, then the fewest whose sum reaches p; the rest is rescaled to 1. The order of
 * Hugging Face's generate.
 * @param logits the largest first.
 */
export function filterLogits(logits: readonly number[], { temperature, topK, topP }: Filter): readonly number[] {
  if (temperature === 0) return logits.map((_, index) => (index === 0 ? 1 : 0));
  const largest = logits[0] ?? 0;
  const kept = topK === 0 ? logits.length : topK;
  const weights = logits.map((logit, index) => (index < kept ? Math.exp((logit - largest) / temperature) : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const nucleus = weights.map((weight) => {
    const inside = topP >= 1 || sum < topP;
    sum += weight / total;
    return inside ? weight : 0;
  });
  const left = nucleus.reduce((all, weight) => all + weight, 0);
  return nucleus.map((weight) => weight / left);
}

function pick(candidates: readonly Candidate[], filter: Filter, random: Random): string {
  const shares = filterLogits(
    candidates.map(({ probability }) => Math.log(probability)),
    filter,
  );
  let left = random.next();
  const at = shares.findIndex((share) => {
    left -= share;
    return left < 0;
  });
  return candidates[Math.max(0, at)]?.word ?? '';
}

export const sampling = defineDemo({
  id: 'sampling',
  title: 'Temperature, top-k and top-p',
  summary: 'a small language model counted from this guide chooses the next word',
  home: 'project-sarcastic-chatbot#generation',
  alsoFor: ['project-lora-chatbot'],
  controls: {
    temperature: real('Temperature', {
      standard: 1,
      min: 0,
      max: 5,
      stops: [0, 0.3, 0.5, 0.7, 0.8, 1, 1.2, 1.5, 2, 3],
    }),
    topK: whole('Top-k (0: all)', { standard: 0, min: 0, max: 1000, stops: [0, 1, 2, 3, 5, 10, 20, 50, 100] }),
    topP: real('Top-p (1: all)', { standard: 1, min: 0.01, max: 1, stops: [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1] }),
    text: { kind: 'text', label: 'It goes on after', standard: 'the model', maxLength: 80 },
  },

  compute({ text, ...filter }, { corpus, random }) {
    const model = countWords(corpus);
    const words = splitWords(text);
    const candidates = nextWords(model, words);
    const shares = filterLogits(
      candidates.map(({ probability }) => Math.log(probability)),
      filter,
    );
    const left = shares.filter((share) => share > 0);
    const samples = range(3).map(() => {
      const said = [...words];
      for (const _ of range(sampleLength)) said.push(pick(nextWords(model, said), filter, random));
      return said
        .slice(words.length)
        .join(' ')
        .replace(/ ([.,;:?])/g, '$1');
    });
    return {
      candidates: candidates
        .slice(0, shown)
        .map(({ word, probability }, at) => ({ word, probability, share: shares[at] ?? 0 })),
      known: candidates.length,
      left: left.length,
      /** As many equally likely words would leave as much doubt: e to the entropy. */
      choices: Math.exp(-left.reduce((sum, share) => sum + share * Math.log(share), 0)),
      samples,
    };
  },

  picture({ candidates, known, left }, { temperature, topK, topP, text }) {
    const highest = Math.max(...candidates.flatMap(({ probability, share }) => [probability, share]));
    const max = Math.min(1, Math.ceil(highest * 11.5) / 10);
    const names = candidates.map(({ word }, index) => ({
      at: shown - index - 0.5,
      text: word.length > 16 ? `${word.slice(0, 15)}…` : word,
    }));
    return {
      title: `“${text.length > 28 ? `…${text.slice(-27)}` : text}” …`,
      legend: [
        { label: 'the model', color: hues.axis, shape: 'box' },
        {
          label: `temperature ${short(temperature)}${topK > 0 ? `, top-k ${topK}` : ''}${topP < 1 ? `, top-p ${short(topP)}` : ''}`,
          color: hues.blue,
          shape: 'box',
        },
      ],
      panelHeight: 420,
      panels: [
        {
          title: `${left.toLocaleString('en-US')} of ${known.toLocaleString('en-US')} words are left; the ${candidates.length} likeliest`,
          x: { label: 'probability', min: 0, max },
          y: { label: '', min: shown - candidates.length, max: shown, ticks: names },
          marks: [
            {
              kind: 'boxes',
              boxes: candidates.map(({ probability }, index) => ({
                from: [0, shown - index - 0.5],
                to: [probability, shown - index - 0.12],
              })),
              color: hues.axis,
            },
            {
              kind: 'boxes',
              boxes: candidates.map(({ share }, index) => ({
                from: [0, shown - index - 0.88],
                to: [Math.min(max, share), shown - index - 0.5],
              })),
              color: hues.blue,
            },
            ...candidates.map(({ share }, index) => ({
              kind: 'words' as const,
              at: [Math.min(max, share) + max * 0.008, shown - index - 0.69] as const,
              text: share === 0 ? 'cut' : percentOf(share, share < 0.1 ? 1 : 0),
              align: 'left' as const,
              fontSize: 13,
              color: share === 0 ? hues.faintInk : hues.ink,
            })),
          ],
        },
      ],
      alt:
        `Probabilities of the next word after “${text}” at temperature ${short(temperature)}: ` +
        `${candidates
          .slice(0, 5)
          .map(({ word, share }) => `${word} ${percentOf(share, 1)}`)
          .join(', ')}. ${left} of ${known} words are left.`,
    };
  },

  explain({ candidates, known, left, choices, samples }, { temperature, topK, topP }) {
    const first = candidates[0] ?? { word: '', share: 0, probability: 0 };
    const lines = samples.map((line) => `- … ${line}`).join('\n');
    const doubt = `as much doubt as among **${short(choices)}** equally likely words`;
    const verdict =
      temperature === 0 || left === 1
        ? `**Greedy:** always \`${first.word}\`; every run says the same, and soon repeats itself.`
        : temperature > 1.2 && topK === 0 && topP === 1
          ? `**Hot:** \`${first.word}\` falls from ${percentOf(first.probability)} to ${percentOf(first.share)}, and all ${known.toLocaleString('en-US')} words stay possible; ${doubt}. That is noise more than ideas; top-p would cut the tail.`
          : topK > 0 || topP < 1
            ? `**Cut:** ${left.toLocaleString('en-US')} of ${known.toLocaleString('en-US')} words are left and share everything; ${doubt}. The unlikely tail can't be drawn at all.`
            : temperature < 0.9
              ? `**Cool:** \`${first.word}\` rises from ${percentOf(first.probability)} to ${percentOf(first.share)}; ${doubt}. Safer, and duller.`
              : `**As the model has it, or near:** \`${first.word}\` at ${percentOf(first.share)}; ${doubt}.`;
    return {
      markdown: `${verdict}\n\nThree ways it goes on:\n\n${lines}\n\nThis model only counted which word follows which two; a language model does the same choosing with better probabilities.`,
      cites: ['project-sarcastic-chatbot#generation', 'cheat-sheet#alignment', 'evaluation-metrics#perplexity'],
    };
  },
});
