// Learns a BERT-style WordPiece vocabulary from texts and writes it in the shape Hugging Face tokenizers read.
import TinyQueue from 'tinyqueue';
import { createWordSplitter } from './tokenizer.ts';

const specialTokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;
const prefix = '##';
/** Longer words become [UNK], in BERT as here. */
const maxWordLength = 100;
/** A pair seen once is no pattern. */
const minPairCount = 2;

/** The contents of `tokenizer.json` and `tokenizer_config.json`. */
export interface TokenizerFiles {
  readonly tokenizer: { readonly [key: string]: unknown };
  readonly config: { readonly [key: string]: unknown };
}

interface Word {
  /** Ids of its pieces, merged step by step. */
  pieces: number[];
  readonly count: number;
}

interface Candidate {
  readonly pair: number;
  readonly count: number;
}

const pairBase = 2 ** 24;
const pairOf = (left: number, right: number) => left * pairBase + right;

function countWords(texts: Iterable<string>): Map<string, number> {
  const { tokenizer, config } = tokenizerFiles([]);
  const splitWords = createWordSplitter(tokenizer, config);
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of splitWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/** The `limit` most frequent characters, each as it starts a word or continues one (`##`), in a fixed order. */
function findAlphabet(words: ReadonlyMap<string, number>, limit: number): string[] {
  const counts = new Map<string, number>();
  for (const [word, count] of words) {
    [...word].forEach((char, index) => {
      const piece = index === 0 ? char : prefix + char;
      counts.set(piece, (counts.get(piece) ?? 0) + count);
    });
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([piece]) => piece)
    .sort();
}

/**
 * Byte-pair merges over words (Sennrich et al. 2016), as Hugging Face's WordPiece trainer does: join the most frequent
 * neighbouring pair again and again. Pair counts are kept up to date per merge, and a heap holds the candidates.
 */
function learnPieces(wordCounts: ReadonlyMap<string, number>, limit: number): Merges {
  const alphabet = findAlphabet(wordCounts, limit);
  const pieces = alphabet.slice();
  const merges: { left: string; right: string }[] = [];
  const idOf = new Map(pieces.map((piece, id) => [piece, id]));
  const words: Word[] = [];
  for (const [word, count] of wordCounts) {
    const chars = [...word];
    if (chars.length > maxWordLength) continue;
    const ids = chars.map((char, index) => idOf.get(index === 0 ? char : prefix + char) ?? -1);
    if (!ids.includes(-1)) words.push({ pieces: ids, count });
  }

  const pairCounts = new Map<number, number>();
  const wordsOfPair = new Map<number, Set<Word>>();
  /** Adds (or takes away) a word's pairs from the counts. */
  const tally = (word: Word, sign: 1 | -1, touched: Set<number>) => {
    for (let i = 0; i + 1 < word.pieces.length; i++) {
      const pair = pairOf(word.pieces[i] ?? 0, word.pieces[i + 1] ?? 0);
      pairCounts.set(pair, (pairCounts.get(pair) ?? 0) + sign * word.count);
      touched.add(pair);
      if (sign === -1) continue;
      const holders = wordsOfPair.get(pair);
      if (holders) holders.add(word);
      else wordsOfPair.set(pair, new Set([word]));
    }
  };
  const queue = new TinyQueue<Candidate>([], (a, b) => b.count - a.count || a.pair - b.pair);
  const enqueue = (pairs: Iterable<number>) => {
    for (const pair of pairs) {
      const count = pairCounts.get(pair) ?? 0;
      if (count >= minPairCount) queue.push({ pair, count });
    }
  };

  const all = new Set<number>();
  for (const word of words) tally(word, 1, all);
  enqueue(all);
  while (pieces.length < limit) {
    const best = queue.pop();
    if (!best) break;
    // Counts change while a candidate waits; only the entry with the present count is true.
    if (pairCounts.get(best.pair) !== best.count) continue;
    const left = Math.floor(best.pair / pairBase);
    const right = best.pair % pairBase;
    const joined = joinPieces(pieces[left] ?? '', pieces[right] ?? '');
    merges.push({ left: pieces[left] ?? '', right: pieces[right] ?? '' });
    const id = idOf.get(joined) ?? pieces.push(joined) - 1;
    idOf.set(joined, id);
    const touched = new Set<number>();
    for (const word of wordsOfPair.get(best.pair) ?? []) {
      tally(word, -1, touched);
      word.pieces = joinPair(word.pieces, left, right, id);
      tally(word, 1, touched);
    }
    wordsOfPair.delete(best.pair);
    pairCounts.delete(best.pair);
    enqueue(touched);
  }
  return { alphabet, pieces, merges };
}

/** `t` + `##he` = `the`. */
export function joinPieces(left: string, right: string): string {
  return left + right.slice(prefix.length);
}

export interface Merges {
  /** Characters as they start a word or, after `##`, continue one. */
  readonly alphabet: readonly string[];
  /** The alphabet, then what the merges made, in their order. */
  readonly pieces: readonly string[];
  /** Most frequent pair first. Two pairs may make the same piece. */
  readonly merges: readonly { readonly left: string; readonly right: string }[];
}

/** The same learning step by step, for showing: which pairs were joined, in which order. */
export function learnMerges(texts: Iterable<string>, limit: number): Merges {
  return learnPieces(countWords(texts), limit);
}

function joinPair(pieces: readonly number[], left: number, right: number, joined: number): number[] {
  const result: number[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i] ?? 0;
    if (piece === left && pieces[i + 1] === right) {
      result.push(joined);
      i++;
    } else result.push(piece);
  }
  return result;
}

/**
 * @param vocabularySize the most entries it may have, special tokens included; a small text gives fewer.
 * @returns an uncased WordPiece tokenizer: `[PAD]` is 0, texts are wrapped in `[CLS] … [SEP]`.
 */
export function learnWordPiece(
  texts: Iterable<string>,
  { vocabularySize }: { readonly vocabularySize: number },
): TokenizerFiles {
  return tokenizerFiles(learnPieces(countWords(texts), Math.max(0, vocabularySize - specialTokens.length)).pieces);
}

function tokenizerFiles(learnt: readonly string[]): TokenizerFiles {
  const vocabulary = Object.fromEntries([...specialTokens, ...learnt].map((token, id) => [token, id]));
  const idOf = (token: (typeof specialTokens)[number]) => specialTokens.indexOf(token);
  const special = (token: '[CLS]' | '[SEP]', typeId: 0 | 1) => ({ SpecialToken: { id: token, type_id: typeId } });
  const sequence = (id: 'A' | 'B', typeId: 0 | 1) => ({ Sequence: { id, type_id: typeId } });
  const single = [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)];
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: specialTokens.map((content) => ({
        id: idOf(content),
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single,
        pair: [...single, sequence('B', 1), special('[SEP]', 1)],
        special_tokens: Object.fromEntries(
          (['[CLS]', '[SEP]'] as const).map((token) => [token, { id: token, ids: [idOf(token)], tokens: [token] }]),
        ),
      },
      decoder: { type: 'WordPiece', prefix, cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: prefix,
        max_input_chars_per_word: maxWordLength,
        vocab: vocabulary,
      },
    },
    config: {
      tokenizer_class: 'BertTokenizer',
      do_lower_case: true,
      strip_accents: null,
      tokenize_chinese_chars: true,
      clean_up_tokenization_spaces: true,
      model_max_length: 512,
      unk_token: '[UNK]',
      sep_token: '[SEP]',
      pad_token: '[PAD]',
      cls_token: '[CLS]',
      mask_token: '[MASK]',
    },
  };
}
