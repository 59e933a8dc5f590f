// Attention of a sentence: how each word shares its attention among the others, in the embedder that ships with the product.
import { hues, type Mark } from '../charts/figure.ts';
import { defineDemo, whole } from './demo.ts';
import { percentOf, range, short } from './numbers.ts';

const heads = 4;
const mostWords = 14;
const shades = ['#f5f8fe', '#e3ebfb', '#cddaf7', '#b3c7f2', '#94b0ec', '#7195e3', '#4d78d9', '#2459d3'];

/** e to the entropy: among how many words, as if evenly, a row shares its attention. */
function reachOf(shares: readonly number[]): number {
  return Math.exp(-shares.reduce((sum, share) => sum + (share > 0 ? share * Math.log(share) : 0), 0));
}

export const attention = defineDemo({
  id: 'attention',
  title: 'Attention weights of a sentence',
  summary: 'which word looks at which, in the small network that finds passages here',
  home: 'neural-networks#attention',
  alsoFor: ['fine-tuning'],
  seeded: false,
  needs: 'encoder',
  controls: {
    head: whole('Head', { standard: 1, stops: range(heads).map((head) => head + 1) }),
    text: {
      kind: 'text',
      label: 'Your sentence',
      standard: 'my model does well in training but badly on new data',
      maxLength: 120,
    },
  },

  async compute({ head, text }, { encode }) {
    const { words, attention: all, pooling } = await encode(text);
    const asked = Math.min(head, Math.max(1, all.length));
    const rows = (all[asked - 1] ?? []).map((row) => Array.from(row));
    return { words, rows, pooling: Array.from(pooling), head: asked, heads: all.length };
  },

  picture({ words, rows, pooling, head }) {
    const count = Math.min(words.length, mostWords);
    const shown = words.slice(0, count);
    const cut = (word: string) => (word.length > 13 ? `${word.slice(0, 12)}…` : word);
    const size = Math.max(1, count);
    const names = shown.map((word, index) => ({ at: size - index - 0.5, text: cut(word) }));
    const [lowest, highest] = [Math.min(1, ...rows.flat()), Math.max(1e-9, ...rows.flat())];
    /** 0 for the least attention in the picture, 1 for the most. */
    const strength = (share: number) => (share - lowest) / Math.max(1e-9, highest - lowest);
    const cells: Mark = {
      kind: 'boxes',
      color: shades[0] ?? hues.card,
      boxes: rows.slice(0, count).flatMap((row, at) =>
        row.slice(0, count).map((share, other) => ({
          from: [other + 0.03, size - at - 0.03] as const,
          to: [other + 0.97, size - at - 0.97] as const,
          color: shades[Math.min(shades.length - 1, Math.floor(strength(share) * shades.length))] ?? hues.blue,
        })),
      ),
    };
    const figures = rows.slice(0, count).flatMap((row, at) =>
      row.slice(0, count).map((share, other) => ({
        kind: 'words' as const,
        at: [other + 0.5, size - at - 0.5] as const,
        text: String(Math.round(100 * share)),
        fontSize: count > 11 ? 11 : 13,
        color: strength(share) > 0.6 ? hues.card : hues.ink,
      })),
    );
    const most = Math.max(0.1, ...pooling.slice(0, count));
    return {
      title: `Head ${head}: who looks at whom, in %`,
      legend: [
        { label: 'a row is one word and sums to 100 %', color: shades[6] ?? hues.blue, shape: 'box' },
        { label: 'weight in the whole', color: hues.orange, shape: 'box' },
      ],
      panelHeight: 150 + 30 * size,
      panels: [
        {
          title: 'looks at →',
          // Upright names would not fit under narrow columns: the columns follow the rows' order and are numbered.
          x: {
            label: '',
            min: 0,
            max: size,
            ticks: shown.map((_, index) => ({ at: index + 0.5, text: String(index + 1) })),
          },
          y: {
            label: '',
            min: 0,
            max: size,
            ticks: names.map(({ at, text }, index) => ({ at, text: `${text} ${index + 1}` })),
          },
          marks: [cells, ...figures],
        },
        {
          title: 'Weight of each word',
          x: {
            label: '',
            min: 0,
            max: most * 1.2,
            ticks: [0, 0.5, 1].map((part) => ({ at: part * most, text: percentOf(part * most) })),
          },
          y: { label: '', min: 0, max: size, ticks: names },
          marks: [
            {
              kind: 'boxes',
              color: hues.orange,
              boxes: pooling
                .slice(0, count)
                .map((share, index) => ({ from: [0, size - index - 0.85], to: [share, size - index - 0.15] })),
            },
          ],
        },
      ],
      alt:
        `Attention of head ${head} over ${words.length} words, and how much each counts: ` +
        `${shown.map((word, index) => `${word} ${percentOf(pooling[index] ?? 0)}`).join(', ')}.`,
    };
  },

  explain({ words, rows, pooling, head, heads: count }) {
    if (words.length === 0) {
      return {
        markdown:
          '**No word in it** that this network could read: it knows words of letters and digits. Without words there is nothing to attend to.',
        cites: ['neural-networks#attention'],
      };
    }
    const pairs = rows
      .flatMap((row, at) => row.map((share, other) => ({ at, other, share })))
      .filter(({ at, other }) => at !== other)
      .sort((a, b) => b.share - a.share);
    const [strongest] = pairs;
    const reach = rows.reduce((sum, row) => sum + reachOf(row), 0) / rows.length;
    const loudest = pooling.indexOf(Math.max(...pooling));
    const self = rows.reduce((sum, row, at) => sum + (row[at] ?? 0), 0) / rows.length;
    const strong =
      strongest === undefined
        ? ''
        : ` Most of all “${words[strongest.at]}” looks at “${words[strongest.other]}” (${percentOf(strongest.share)}).`;
    const manner =
      words.length === 1
        ? '**One word can only look at itself.**'
        : self > 0.6
          ? `**Head ${head} of ${count} looks mostly at the word itself** (${percentOf(self)} on average).`
          : reach < 0.5 * words.length
            ? `**Head ${head} of ${count} is choosy:** a word shares its attention among about ${short(reach)} of ${words.length}.`
            : `**Head ${head} of ${count} looks around widely:** among about ${short(reach)} of ${words.length} words.`;
    return {
      markdown: `${manner}${strong} In the sentence as a whole “${words[loudest]}” counts most, **${percentOf(pooling[loudest] ?? 0)}**. Weights say where information flows, not why: do not read them as reasons.`,
      cites: ['neural-networks#attention', 'neural-networks#embeddings', 'neural-networks#transformer'],
    };
  },
});
