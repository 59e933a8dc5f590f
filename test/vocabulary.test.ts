// Learning a WordPiece vocabulary and encoding with it, and with BERT's own.
import { existsSync, readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { readExamples } from '../engine/data/examples.ts';
import { createTokenizer } from '../engine/data/tokenizer.ts';
import { learnWordPiece } from '../engine/data/vocabulary.ts';

const hugs = ['hug', 'hug', 'hug', 'hug', 'hug', 'hug', 'hug', 'hug', 'hug', 'hug', 'pug', 'pug', 'pug', 'pug', 'pug'];
const puns = [...Array(12).fill('pun'), ...Array(4).fill('bun'), ...Array(5).fill('hugs')];

function learn(texts: readonly string[], vocabularySize: number) {
  const files = learnWordPiece(texts, { vocabularySize });
  const library: { get_vocab(): Map<string, number> } = new Tokenizer(files.tokenizer, files.config);
  return { ...files, vocabulary: library.get_vocab(), ...createTokenizer(files.tokenizer, files.config) };
}

/** Merges by counting every pair anew each time: the definition, in the plainest form. */
function naivePieces(words: ReadonlyMap<string, number>, limit: number): Set<string> {
  const split = new Map([...words].map(([word]) => [word, [...word].map((c, i) => (i === 0 ? c : `##${c}`))]));
  const pieces = new Set([...split.values()].flat());
  while (pieces.size < limit) {
    const counts = new Map<string, number>();
    for (const [word, parts] of split) {
      for (let i = 0; i + 1 < parts.length; i++) {
        const pair = `${parts[i]} ${parts[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + (words.get(word) ?? 0));
      }
    }
    const best = Math.max(0, ...counts.values());
    const ties = [...counts].filter(([, n]) => n === best);
    if (best < 2 || ties.length !== 1) break; // Ties may be broken either way: compare up to the first.
    const [left = '', right = ''] = ties[0]?.[0].split(' ') ?? [];
    const joined = left + right.slice(2);
    pieces.add(joined);
    for (const parts of split.values()) {
      for (let i = 0; i + 1 < parts.length; i++) {
        if (parts[i] === left && parts[i + 1] === right) parts.splice(i, 2, joined);
      }
    }
  }
  return pieces;
}

describe('learning a vocabulary', () => {
  it('makes the merges of the textbook example (hug, pug, pun, bun, hugs)', () => {
    const { vocabulary } = learn([...hugs, ...puns], 15);
    // Counts: ##u ##g 20, then ##u ##n 16, then h ##ug 15: the worked example of BPE.
    expect([...vocabulary.keys()].slice(5)).toEqual(['##g', '##n', '##s', '##u', 'b', 'h', 'p', '##ug', '##un', 'hug']);
    expect([...vocabulary].slice(0, 5)).toEqual([
      ['[PAD]', 0],
      ['[UNK]', 1],
      ['[CLS]', 2],
      ['[SEP]', 3],
      ['[MASK]', 4],
    ]);
  });

  it('makes the same merges as counting anew each time', () => {
    // Powers as counts make ties rare; words overlap a lot.
    const parts = ['ab', 'abc', 'bca', 'cab', 'aab', 'bcb', 'ccab', 'acb'];
    const words = new Map(
      parts.flatMap((a, i) => parts.map((b, j): [string, number] => [a + b, 1 + ((i * 37 + j * 101) % 997)])),
    );
    const texts = [...words].flatMap(([word, n]) => Array<string>(n).fill(word));
    for (const size of [10, 20, 40]) {
      const naive = naivePieces(words, size);
      const { vocabulary } = learn(texts, 5 + naive.size);
      expect(new Set([...vocabulary.keys()].slice(5))).toEqual(naive);
    }
  });

  it('stops when no pair occurs twice, and keeps the most frequent characters when there is little room', () => {
    expect(learn(['abcd'], 1000).vocabularySize).toBe(5 + 4);
    const small = learn([...Array(9).fill('aaa'), 'z'], 7);
    expect([...small.vocabulary.keys()].slice(5).sort()).toEqual(['##a', 'a']);
    expect(learn([], 100).vocabularySize).toBe(5);
  });

  it('encodes with what it learnt, lower-cased and without accents, unknown characters as [UNK]', () => {
    const { vocabulary, encode, padId } = learn([...hugs, ...puns], 15);
    const id = (token: string) => vocabulary.get(token);
    expect(encode('HÜG pugs!', 16)).toEqual([2, id('hug'), id('p'), id('##ug'), id('##s'), 1, 3]);
    expect(padId).toBe(0);
    expect(encode('', 16)).toEqual([2, 3]);
    expect(encode('hug hug hug hug', 4)).toEqual([2, id('hug'), id('hug'), 3]);
  });

  it('is the same whatever order words come in, and survives being written as JSON', () => {
    const one = learn([...hugs, ...puns, 'bugs 2024'], 30);
    const other = learn([...puns, 'bugs 2024', ...hugs], 30);
    expect(other.vocabulary).toEqual(one.vocabulary);
    const again = createTokenizer(JSON.parse(JSON.stringify(one.tokenizer)), JSON.parse(JSON.stringify(one.config)));
    expect(again.encode('bugs 2024', 8)).toEqual(one.encode('bugs 2024', 8));
  });
});

const bert = '../shared/data/tok_bert_minilm';
describe.skipIf(!existsSync(bert))(
  `BERT's tokenizer${existsSync(bert) ? '' : ' (skipped: ../shared/data is absent)'}`,
  () => {
    const json = (name: string) => JSON.parse(readFileSync(`${bert}/${name}`, 'utf8'));

    it('gives the ids BERT is known to give', () => {
      const { encode, vocabularySize, padId } = createTokenizer(json('tokenizer.json'), json('tokenizer_config.json'));
      expect(vocabularySize).toBe(30_522);
      expect(padId).toBe(0);
      expect(encode('Hello, world!', 64)).toEqual([101, 7592, 1010, 2088, 999, 102]);
      expect(encode('unaffable', 64)).toEqual([101, 14477, 20961, 3468, 102]);
      expect(encode('The quick brown fox jumps over the lazy dog.', 64)).toEqual([
        101, 1996, 4248, 2829, 4419, 14523, 2058, 1996, 13971, 3899, 1012, 102,
      ]);
      expect(encode('The quick brown fox', 5)).toEqual([101, 1996, 4248, 2829, 102]);
    });

    it('agrees with vocab.txt by longest match first', () => {
      const tokens = readFileSync(`${bert}/vocab.txt`, 'utf8').split('\n');
      const ids = new Map(tokens.map((token, id) => [token, id]));
      const { encode } = createTokenizer(json('tokenizer.json'), json('tokenizer_config.json'));
      for (const word of [
        'finetuning',
        'overfitting',
        'tokenization',
        'backpropagation',
        'quantized',
        'hyperparameters',
      ]) {
        const expected: number[] = [];
        for (let start = 0; start < word.length; ) {
          let end = word.length;
          while (!ids.has((start > 0 ? '##' : '') + word.slice(start, end))) end--;
          expected.push(ids.get((start > 0 ? '##' : '') + word.slice(start, end)) ?? -1);
          start = end;
        }
        expect(encode(word, 64)).toEqual([101, ...expected, 102]);
      }
    });

    it('learns 8,000 pieces from 27,000 headlines in under 3 s and encodes 7,000 sentences in under 2 s', async () => {
      const headlines = await readExamples('../shared/data/sarcasm_headlines/headlines.jsonl', {
        text: 'headline',
        label: 'is_sarcastic',
      });
      const texts = headlines.examples.map(({ text }) => text);
      // Processor time, so that a busy machine does not matter.
      let started = process.cpuUsage();
      const seconds = () => process.cpuUsage(started).user / 1e6;
      const files = learnWordPiece(texts, { vocabularySize: 8000 });
      expect(seconds()).toBeLessThan(3);
      const { encode, vocabularySize } = createTokenizer(files.tokenizer, files.config);
      expect(vocabularySize).toBe(8000);
      started = process.cpuUsage();
      const encoded = texts.slice(0, 7000).map((text) => encode(text, 64));
      expect(seconds()).toBeLessThan(2);
      expect(encoded.flat().filter((id) => id === 1)).toEqual([]);
    });
  },
);
