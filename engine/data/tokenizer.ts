// Turns texts into token ids with the tokenizer files of any Hugging Face checkpoint.
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';

/** What we use of the library's tokenizer, whose own types do not resolve under Node's module rules. */
interface LibraryTokenizer {
  readonly normalizer: { normalize(text: string): string };
  readonly pre_tokenizer: { pre_tokenize_text(text: string): string[] };
  encode(text: string, options?: { readonly add_special_tokens: boolean }): { readonly ids: number[] };
  token_to_id(token: string): number | undefined;
  get_vocab(): Map<string, number>;
}

export interface Tokenizer {
  /** One more than the highest id. */
  readonly vocabularySize: number;
  readonly padId: number;
  /** Ids with the tokenizer's special tokens; the text is cut so that there are at most `maxLength`, special ones included. */
  encode(text: string, maxLength: number): number[];
}

/** How many special tokens the tokenizer puts after a text: they stay when it is cut. */
function countClosing(tokenizer: LibraryTokenizer): number {
  const bare = tokenizer.encode('a', { add_special_tokens: false }).ids;
  const full = tokenizer.encode('a').ids;
  for (let start = 0; start + bare.length <= full.length; start++) {
    if (bare.every((id, index) => full[start + index] === id)) return full.length - start - bare.length;
  }
  return 0;
}

/**
 * @param tokenizerJson the parsed `tokenizer.json`, and its `tokenizer_config.json`.
 * @throws Error when they are not a tokenizer the library knows.
 */
export function createTokenizer(tokenizerJson: object, tokenizerConfig: object): Tokenizer {
  const tokenizer: LibraryTokenizer = new HuggingFaceTokenizer(tokenizerJson, tokenizerConfig);
  const closing = countClosing(tokenizer);
  let highest = -1;
  for (const id of tokenizer.get_vocab().values()) highest = Math.max(highest, id);
  const padToken = 'pad_token' in tokenizerConfig ? tokenizerConfig.pad_token : undefined;
  const padId = typeof padToken === 'string' ? tokenizer.token_to_id(padToken) : undefined;
  return {
    vocabularySize: highest + 1,
    padId: padId ?? 0,
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
