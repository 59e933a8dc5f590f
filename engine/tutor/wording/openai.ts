// Any server that speaks OpenAI's chat completions (Ollama, vLLM, llama.cpp, OpenAI): streamed, and read strictly.
import { z } from 'zod';
import { type LanguageModel, LanguageModelError } from './language-model.ts';

export interface OpenAiOptions {
  /** Without a slash at the end, such as `http://127.0.0.1:11434/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: string | undefined;
}

const chunk = z.looseObject({
  choices: z.array(
    z.looseObject({
      delta: z.looseObject({ content: z.string().nullish() }).optional(),
      finish_reason: z.string().nullish(),
    }),
  ),
});
const models = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });

const mostTokens = 700;
/** An answer far longer than was asked for. */
const mostCharacters = 12_000;
const checkMs = 5000;

export function createOpenAiModel({ baseUrl, model, apiKey }: OpenAiOptions): LanguageModel {
  return {
    name: `${model} at ${new URL(baseUrl).host}`,
    async *write(messages, signal) {
      const response = await fetch(`${baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...authorise(apiKey) },
        body: JSON.stringify({ model, messages, stream: true, temperature: 0, max_tokens: mostTokens }),
        redirect: 'error',
        signal,
      }).catch((error: unknown) => fail(`it cannot be reached (${codeOf(error)})`));
      if (!response.ok) {
        await response.body?.cancel();
        fail(`it answered ${response.status}`);
      }
      if (response.body === null) return fail('it answered nothing');
      let finished = false;
      let length = 0;
      for await (const data of eventsOf(response.body)) {
        if (data === '[DONE]') {
          finished = true;
          break;
        }
        const [choice] = parse(chunk, data).choices;
        const text = choice?.delta?.content ?? '';
        length += text.length;
        if (length > mostCharacters) fail('it did not come to an end');
        if (text !== '') yield text;
        if (choice?.finish_reason) finished = true;
      }
      if (!finished) fail('it broke off in the middle');
    },
  };
}

/** @returns what is wrong with the server or the model's name, in words; undefined where all is well. */
export async function checkOpenAi({ baseUrl, model, apiKey }: OpenAiOptions): Promise<string | undefined> {
  try {
    const response = await fetch(`${baseUrl}/models`, {
      headers: authorise(apiKey),
      redirect: 'error',
      signal: AbortSignal.timeout(checkMs),
    });
    if (!response.ok) return `LLM_BASE_URL ${baseUrl} answered ${response.status}${hints[response.status] ?? ''}.`;
    const known = parse(models, await response.text()).data.map(({ id }) => id);
    if (known.includes(model)) return undefined;
    return `LLM_BASE_URL ${baseUrl} does not know LLM_MODEL ${model}; it has ${known.slice(0, 8).join(', ') || 'none'}.`;
  } catch (error) {
    return `LLM_BASE_URL ${baseUrl} cannot be reached (${codeOf(error)}).`;
  }
}

const hints: { readonly [status: number]: string } = {
  401: ': LLM_API_KEY is missing or wrong',
  403: ': LLM_API_KEY may not use it',
  404: ': the address usually ends in /v1',
};

const authorise = (apiKey: string | undefined): { readonly [name: string]: string } =>
  apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };

/** The data of each server-sent event (HTML Living Standard, 9.2.6). */
async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let held = '';
  for await (const bytes of body) {
    held += decoder.decode(bytes, { stream: true });
    if (held.length > 1_000_000) fail('it sent an event without end');
    const lines = held.split(/\r\n|\n|\r(?!$)/);
    held = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data:')) yield line.slice(5).trim();
  }
  if (held.startsWith('data:')) yield held.slice(5).trim();
}

function parse<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail('it sent what is no JSON');
  }
  const read = schema.safeParse(value);
  return read.success ? read.data : fail('it sent what the chat API does not know');
}

function fail(reason: string): never {
  throw new LanguageModelError(reason);
}

/** A code such as ECONNREFUSED: a message may hold the address and what was sent. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const cause = error.cause;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error.name;
}
