// The heads of decoders, which Hugging Face gives all of them alike: a text's answer is read from its last token.
import type { Value } from '../graph/ops.ts';
import { asTokens, lastOfTokens, meanOfTokens, outputsOf, scoreVocabulary } from './heads.ts';
import type { Layers } from './layers.ts';
import type { CachedInputs, Head, HeadKind } from './model.ts';
import type { SpecCollector } from './specs.ts';

export const decoder_heads: readonly HeadKind[] = [
  'classification',
  'regression',
  'token-classification',
  'causal-lm',
  'embedding',
];

export interface DecoderHeadDesign {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly initializerRange: number;
  /** The words' table, [vocabulary, hidden]. */
  readonly wordTable: string;
  /** Whether the words' table also scores the next token; else `lm_head.weight` does. */
  readonly tied: boolean;
  /** The linear layer of token classification. */
  readonly tokenClassifier: string;
  /** Share dropped before it in training. */
  readonly tokenDropout: number;
}

const language_head = 'lm_head.weight';

export function addDecoderHead({ add, linear }: SpecCollector, design: DecoderHeadDesign, head: Head): void {
  const { vocabulary, hidden } = design;
  if (head.kind === 'classification' || head.kind === 'regression') {
    linear('score', outputsOf(head), hidden, { part: 'head', bias: false });
  } else if (head.kind === 'token-classification') {
    linear(design.tokenClassifier, outputsOf(head), hidden, { part: 'head' });
  } else if (head.kind === 'causal-lm' && !design.tied) {
    add(language_head, [vocabulary, hidden], { normal: design.initializerRange }, 'pooler');
  }
}

/** @param tokens [rows · length, hidden], normalised. @param attentionBias of the padding, [rows, 1, 1, length]. */
export function answerDecoder(
  layers: Layers,
  design: DecoderHeadDesign,
  tokens: Value,
  attentionBias: Value,
  head: Head,
): Value {
  const [rows = 0, , , length = 0] = attentionBias.shape;
  switch (head.kind) {
    case 'classification':
    case 'regression':
      return layers.linear(lastOfTokens(layers, tokens, attentionBias), 'score', { bias: false });
    case 'token-classification': {
      const logits = layers.linear(layers.dropout(tokens, design.tokenDropout), design.tokenClassifier);
      return asTokens(layers.g, logits, rows, length);
    }
    case 'causal-lm':
      return scoreNextToken(layers, design, tokens, rows, length);
    case 'embedding':
      return meanOfTokens(layers, tokens, attentionBias);
    case 'masked-lm':
    case 'contrast':
      throw new Error(`a decoder has no ${head.kind} head`);
  }
}

/** What the head says of each of the new tokens, or of those asked for. */
export function answerCached(
  layers: Layers,
  design: DecoderHeadDesign,
  tokens: Value,
  { inputIds, scored }: Pick<CachedInputs, 'inputIds' | 'scored'>,
  head: Head = { kind: 'causal-lm' },
): Value {
  const [rows = 0, length = 0] = inputIds.shape;
  const { g } = layers;
  const asked = scored ? g.op('Gather', [tokens, scored]) : tokens;
  switch (head.kind) {
    case 'causal-lm':
      return scored
        ? scoreNextToken(layers, design, asked, 1, scored.shape[0] ?? 0)
        : scoreNextToken(layers, design, asked, rows, length);
    case 'classification':
    case 'regression':
      return layers.linear(asked, 'score', { bias: false });
    case 'token-classification':
      return asTokens(g, layers.linear(asked, design.tokenClassifier), rows, length);
    case 'embedding':
      return asTokens(g, asked, rows, length);
    case 'masked-lm':
    case 'contrast':
      throw new Error(`a decoder has no ${head.kind} head`);
  }
}

/** Logits [rows, length, vocabulary]. */
function scoreNextToken(
  layers: Layers,
  { tied, wordTable }: DecoderHeadDesign,
  tokens: Value,
  rows: number,
  length: number,
): Value {
  return scoreVocabulary(layers, tokens, { table: tied ? wordTable : language_head }, rows, length);
}
