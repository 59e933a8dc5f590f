// What a language model is to the tutor: messages in, pieces of text out.

export interface ChatMessage {
  readonly role: 'system' | 'user';
  readonly content: string;
}

export interface LanguageModel {
  /** For people: its name and where it runs. */
  readonly name: string;
  /**
   * Pieces of the answer as they come; ends only where the model ended.
   * @throws LanguageModelError when it cannot be reached, breaks off, or sends what cannot be read.
   */
  write(messages: readonly ChatMessage[], signal: AbortSignal): AsyncIterable<string>;
}

/** Never shown to people: the composed answer is. Its message holds no secret. */
export class LanguageModelError extends Error {
  override readonly name = 'LanguageModelError';
}
