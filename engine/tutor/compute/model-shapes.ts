// Shapes of well-known models, as their published config.json gives them, for sums such as "LoRA on Llama-2-7B".

export interface ModelShape {
  readonly name: string;
  /** Alternatives of a regular expression, on lower-case text. */
  readonly pattern: RegExp;
  readonly parameters: number;
  readonly layers: number;
  readonly hidden: number;
  /** Width of keys and values together: heads for them × head size. */
  readonly keyValue: number;
  readonly feedForward: number;
}

const modelShapes: readonly ModelShape[] = [
  shape('Llama-2-13B', /llama[\s-]?2?[\s-]?13b/, 13_015_864_320, 40, 5120, 5120, 13_824),
  shape('Llama-2-7B', /llama[\s-]?2?[\s-]?7b|llama-?2\b(?!.*(?:13b|70b))/, 6_738_415_616, 32, 4096, 4096, 11_008),
  shape('Llama-3.1-8B', /llama[\s-]?3(?:\.\d)?(?:[\s-]?8b)?\b(?!.*70b)/, 8_030_261_248, 32, 4096, 1024, 14_336),
  shape('Mistral-7B', /mistral(?:[\s-]?7b)?\b/, 7_241_732_096, 32, 4096, 1024, 14_336),
  shape('Qwen2.5-0.5B', /qwen[\s-]?2(?:\.5)?[\s-]?0\.5b/, 494_032_768, 24, 896, 128, 4864),
  shape('TinyLlama-1.1B', /tiny[\s-]?llama/, 1_100_048_384, 22, 2048, 256, 5632),
  shape('BERT-large', /bert[\s-]?large/, 335_141_888, 24, 1024, 1024, 4096),
  shape('DistilBERT', /distil[\s-]?bert/, 66_362_880, 6, 768, 768, 3072),
  shape('RoBERTa-base', /roberta(?:[\s-]?base)?/, 124_645_632, 12, 768, 768, 3072),
  shape('BERT-base', /\bbert(?:[\s-]?base)?\b/, 109_482_240, 12, 768, 768, 3072),
  shape('GPT-2', /gpt[\s-]?2\b(?!.*(?:medium|large|xl))/, 124_439_808, 12, 768, 768, 3072),
];

function shape(
  name: string,
  pattern: RegExp,
  parameters: number,
  layers: number,
  hidden: number,
  keyValue: number,
  feedForward: number,
): ModelShape {
  return { name, pattern, parameters, layers, hidden, keyValue, feedForward };
}

export function findModel(text: string): ModelShape | undefined {
  return modelShapes.find(({ pattern }) => pattern.test(text));
}
