// Turns texts into token ids with the tokenizer files of any Hugging Face checkpoint.
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';

/** What we use of the library's tokenizer, whose own types do not resolve under Node's module rules. */
interface LibraryTokenizer {
  readonly normalizer: { normalize(text: string): string };
  readonly pre_tokenizer: { pre_tokenize_text(text: string): string[] };
  encode(text: string, options?: { readonly add_special_tokens: boolean }): { readonly ids: number[] };
  decode(ids: readonly number[], options: { readonly skip_special_tokens: boolean }): string;
  token_to_id(token: string): number | undefined;
  get_vocab(): Map<string, number>;
}

export interface Tokenizer {
  /** One more than the highest id. */
  readonly vocabularySize: number;
  readonly padId: number;
  /** Ids with the tokenizer's special tokens; the text is cut so that there are at most `maxLength`, special ones included. */
  encode(text: string, maxLength: number): number[];
  /** Ids of the text alone: no special tokens, nothing cut. Special tokens written in the text count as such. */
  encodePart(text: string): number[];
  /** Puts the tokenizer's special tokens around ids, which are cut so that there are at most `maxLength`. */
  wrap(ids: readonly number[], maxLength: number): { readonly ids: number[]; readonly opening: number };
  /** The text without special tokens. */
  decode(ids: readonly number[]): string;
  /** The text with them. */
  decodeAll(ids: readonly number[]): string;
  /** Where the tokenizer has them: the hidden word of a masked model, and the end of a text. */
  readonly maskId: number | undefined;
  readonly endId: number | undefined;
  readonly unknownId: number | undefined;
}

/** The special tokens that the tokenizer puts before and after a text: they stay when it is cut. */
function findWrapping(tokenizer: LibraryTokenizer): { readonly before: number[]; readonly after: number[] } {
  const bare = tokenizer.encode('a', { add_special_tokens: false }).ids;
  const full = tokenizer.encode('a').ids;
  for (let start = 0; start + bare.length <= full.length; start++) {
    if (bare.every((id, index) => full[start + index] === id))
      return { before: full.slice(0, start), after: full.slice(start + bare.length) };
  }
  return { before: [], after: [] };
}

/** The id of a token that tokenizer_config.json names, as a string or with its flags. */
function namedToken(tokenizer: LibraryTokenizer, config: object, name: string): number | undefined {
  const value: unknown = Reflect.get(config, name);
  const token = typeof value === 'object' && value !== null ? Reflect.get(value, 'content') : value;
  return typeof token === 'string' ? tokenizer.token_to_id(token) : undefined;
}

/**
 * @param tokenizerJson the parsed `tokenizer.json`, and its `tokenizer_config.json`.
 * @throws Error when they are not a tokenizer the library knows.
 */
export function createTokenizer(tokenizerJson: object, tokenizerConfig: object): Tokenizer {
  const tokenizer: LibraryTokenizer = new HuggingFaceTokenizer(tokenizerJson, tokenizerConfig);
  const { before, after } = findWrapping(tokenizer);
  const closing = after.length;
  let highest = -1;
  for (const id of tokenizer.get_vocab().values()) highest = Math.max(highest, id);
  const named = (name: string) => namedToken(tokenizer, tokenizerConfig, name);
  return {
    vocabularySize: highest + 1,
    padId: named('pad_token') ?? 0,
    maskId: named('mask_token'),
    endId: named('eos_token') ?? named('sep_token'),
    unknownId: named('unk_token'),
    encodePart: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids,
    wrap(ids, maxLength) {
      const room = Math.max(0, maxLength - before.length - closing);
      return { ids: [...before, ...ids.slice(0, room), ...after], opening: before.length };
    },
    // The library refuses to decode nothing.
    decode: (ids) => (ids.length === 0 ? '' : tokenizer.decode(ids, { skip_special_tokens: true })),
    decodeAll: (ids) => (ids.length === 0 ? '' : tokenizer.decode(ids, { skip_special_tokens: false })),
    encode(text, maxLength) {
      const { ids } = tokenizer.encode(text);
      if (ids.length <= maxLength) return ids;
      return [...ids.slice(0, Math.max(0, maxLength - closing)), ...ids.slice(ids.length - closing)];
    },
  };
}

/** @returns how the tokenizer cuts a text into normalised words, before it looks for word pieces. */
export function createWordSplitter(tokenizerJson: object, tokenizerConfig: object): (text: string) => string[] {
  const tokenizer: LibraryTokenizer = new HuggingFaceTokenizer(tokenizerJson, tokenizerConfig);
  return (text) => tokenizer.pre_tokenizer.pre_tokenize_text(tokenizer.normalizer.normalize(text));
}
