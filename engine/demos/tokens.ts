// Tokens of your own text: what a tokenizer learnt from this guide makes of it, merge by merge.

import { hues, type Mark, type Point } from '../charts/figure.ts';
import { textWidth } from '../charts/render.ts';
import { choice, defineDemo, whole } from './demo.ts';
import { short } from './numbers.ts';
import { encodeBytePairs, encodeWordPiece, learnFrom, piecesAfter, splitWords, unknown } from './pieces.ts';

const algorithms = { bpe: 'BPE', wordpiece: 'WordPiece' } as const;
const counts = [0, 10, 25, 50, 100, 250, 500, 1000, 1500, 2000, 2500];
const canvas = { width: 636, line: 40, fontSize: 17 } as const;
const fills = ['#d3dff8', '#fbdccb'] as const;

export const tokens = defineDemo({
  id: 'tokens',
  title: 'Tokens of your own text',
  summary: 'how BPE and WordPiece cut your words, merge by merge',
  home: 'data-preparation#tokenization',
  alsoFor: ['fine-tuning-data', 'project-movie-sentiment'],
  seeded: false,
  controls: {
    algorithm: choice('Tokenizer', 'bpe', algorithms),
    merges: whole('Merges learnt', { standard: 1000, min: 0, max: 2500, stops: counts }),
    text: {
      kind: 'text',
      label: 'Your text',
      standard: 'Overfitting happens when memorising beats generalising.',
      maxLength: 200,
    },
  },

  compute({ algorithm, merges: mergeCount, text }, { corpus }) {
    const merges = learnFrom(corpus);
    const words = splitWords(text);
    const cut = (count: number) => {
      const vocabulary = piecesAfter(merges, count);
      return words.map((word) =>
        algorithm === 'bpe' ? encodeBytePairs(word, merges, count) : encodeWordPiece(word, vocabulary),
      );
    };
    const asked = Math.min(mergeCount, merges.merges.length);
    return {
      words: cut(asked),
      merges: asked,
      vocabulary: piecesAfter(merges, asked).size,
      curve: counts
        .filter((count) => count <= merges.merges.length)
        .map((count): Point => [count, cut(count).flat().length]),
      first: merges.merges.slice(0, 3),
      last: merges.merges[asked - 1],
      characters: [...text.replace(/\s+/g, '')].length,
    };
  },

  picture({ words, merges, curve, characters }, { algorithm }) {
    const { marks, lines } = drawChips(words);
    const total = words.flat().length;
    const height = Math.max(150, lines * canvas.line + 16);
    const panelHeight = height + 40;
    return {
      title: `${algorithms[algorithm]} after ${merges.toLocaleString('en-US')} merges: ${total} ${total === 1 ? 'token' : 'tokens'}`,
      columns: 1,
      panelHeight,
      panels: [
        {
          title: `${characters} characters, each box one token (## continues a word)`,
          bare: true,
          x: { label: '', min: 0, max: canvas.width },
          y: { label: '', min: -height, max: 0 },
          marks,
        },
        {
          title: 'Tokens of this text by number of merges',
          x: { label: 'merges learnt', min: 0, max: 2500 },
          y: {
            label: 'tokens',
            min: 0,
            max: Math.max(4, Math.ceil((Math.max(...curve.map(([, y]) => y)) * 1.05) / 5) * 5),
          },
          marks: [
            { kind: 'rule', along: 'y', at: merges, color: hues.purple },
            { kind: 'line', points: curve, color: hues.blue },
            { kind: 'points', points: [[merges, total]], color: hues.blue, size: 11 },
          ],
        },
      ],
      alt: `The text cut by ${algorithms[algorithm]} after ${merges} merges into ${total} tokens: ${words.flat().slice(0, 60).join(' ')}.`,
    };
  },

  explain({ words, merges, vocabulary, first, last, characters }, { algorithm }) {
    const flat = words.flat();
    const each = characters / Math.max(1, flat.length);
    const strange = flat.filter((piece) => piece === unknown).length;
    const numbers = `**${flat.length} tokens** for ${words.length} words, ${short(each)} characters each, from a vocabulary of ${vocabulary.toLocaleString('en-US')} pieces learnt on this guide`;
    const show = ({ left, right }: { left: string; right: string }) => `\`${left} ${right}\``;
    if (merges === 0) {
      return {
        markdown: `**Letters only:** ${numbers}. The first merges join the pairs seen most: ${first.map(show).join(', ')}.`,
        cites: ['data-preparation#tokenization', 'neural-networks#embeddings'],
      };
    }
    const unknowns =
      strange === 0
        ? ''
        : algorithm === 'bpe'
          ? ` ${strange} ${strange === 1 ? 'character' : 'characters'} never seen in the guide became \`[UNK]\`; byte-level BPE, as in GPT-2, has no such gap.`
          : ` ${strange} ${strange === 1 ? 'word holds' : 'words hold'} a character never seen in the guide, so the entire word became \`[UNK]\`.`;
    const split = words.filter((pieces) => pieces.length > 1).length;
    const verdict =
      each < 2 ? 'Costly' : split === 0 ? 'Every word whole' : `${split} of ${words.length} words in parts`;
    return {
      markdown: `**${verdict}:** ${numbers}.${unknowns}${last === undefined ? '' : ` The last merge joined ${show(last)}.`} Frequent words become one token; rare ones are spelt from pieces, so the model pays more for them.`,
      cites: ['data-preparation#tokenization', 'fine-tuning-data#packing', 'data-preparation#text'],
    };
  },
});

/** Boxes with their words, from left to right and line by line; a word is not broken unless it fills a line. */
function drawChips(words: readonly (readonly string[])[]): { marks: readonly Mark[]; lines: number } {
  const boxes: { from: Point; to: Point; color: string }[] = [];
  const labels: Mark[] = [];
  let x = 0;
  let line = 0;
  const widthOf = (piece: string) => textWidth(piece, canvas.fontSize) * 0.97 + 12;
  for (const pieces of words) {
    const whole = pieces.reduce((sum, piece) => sum + widthOf(piece) + 2, 0);
    if (x > 0 && x + Math.min(whole, canvas.width) > canvas.width) {
      x = 0;
      line += 1;
    }
    pieces.forEach((piece, index) => {
      const width = Math.min(widthOf(piece), canvas.width);
      if (x > 0 && x + width > canvas.width) {
        x = 0;
        line += 1;
      }
      const top = -line * canvas.line - 4;
      boxes.push({
        from: [x, top],
        to: [x + width, top - canvas.line + 8],
        color: piece === unknown ? hues.grid : (fills[index % 2] ?? fills[0]),
      });
      labels.push({
        kind: 'words',
        at: [x + width / 2, top - canvas.line / 2 + 4],
        text: piece,
        fontSize: canvas.fontSize,
      });
      x += width + 2;
    });
    x += 9;
  }
  return { marks: [{ kind: 'boxes', boxes, color: fills[0] }, ...labels], lines: line + 1 };
}
