// The only file that imports Transformers.js: embedding and reranking models of the hub or of a folder, behind our own ports.
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Embedder, Reranker } from '../knowledge/index.ts';
import { UserError } from './errors.ts';
import type { HubOptions } from './models/hub-options.ts';
import { type LanguageModel, LanguageModelError } from './tutor/wording/language-model.ts';

/** Texts embedded at a time. */
const batch = 16;

/**
 * @param model a hub id such as `Xenova/all-MiniLM-L6-v2`, or a folder in the same layout.
 * @throws UserError when it cannot be loaded.
 */
export async function loadHubEmbedder(model: string, hub: HubOptions | undefined): Promise<Embedder> {
  const { library, name } = await open(model, hub);
  const embed = await library.pipeline('feature-extraction', name).catch(refuse('EMBED_MODEL', model));
  const vectorsOf = async (texts: readonly string[]): Promise<Float32Array[]> => {
    const vectors: Float32Array[] = [];
    for (let start = 0; start < texts.length; start += batch) {
      const chosen = texts.slice(start, start + batch);
      const { data, dims } = await embed(chosen, { pooling: 'mean', normalize: true });
      const width = dims.at(-1) ?? 0;
      const numbers = Float32Array.from(data, Number);
      for (const at of chosen.keys()) vectors.push(numbers.slice(at * width, (at + 1) * width));
    }
    return vectors;
  };
  const [probe] = await vectorsOf(['a']);
  return { id: model, dimensions: probe?.length ?? 0, embed: vectorsOf };
}

/**
 * @param model a cross-encoder with one output, such as `Xenova/ms-marco-MiniLM-L-6-v2`, by hub id or folder.
 * @throws UserError when it cannot be loaded.
 */
export async function loadHubReranker(model: string, hub: HubOptions | undefined): Promise<Reranker> {
  const { library, name } = await open(model, hub);
  const fail = refuse('RERANK_MODEL', model);
  const tokenizer = await library.AutoTokenizer.from_pretrained(name).catch(fail);
  const network = await library.AutoModelForSequenceClassification.from_pretrained(name).catch(fail);
  return {
    id: model,
    score: async (query, passages) => {
      if (passages.length === 0) return [];
      const inputs = tokenizer(
        passages.map(() => query),
        { text_pair: [...passages], padding: true, truncation: true },
      );
      const { logits } = await network(inputs);
      const numbers = Array.from(logits.data, Number);
      // With more than one output the last is that of a fit.
      const width = numbers.length / passages.length;
      return passages.map((_, at) => numbers[(at + 1) * width - 1] ?? 0);
    },
  };
}

/** Tokens a local model may write: on a CPU each takes its time. */
const mostTokens = 400;

/**
 * An instruct model that runs in this process. It loads in the background: what is asked before it is there waits for it.
 * @param model a hub id such as `onnx-community/Qwen2.5-0.5B-Instruct`, or a folder in the same layout.
 */
export function loadHubWriter(model: string, hub: HubOptions | undefined): LanguageModel & { ready: Promise<void> } {
  const loading = open(model, hub).then(async ({ library, name }) => ({
    library,
    generate: await library.pipeline('text-generation', name).catch(refuse('LLM_MODEL', model)),
  }));
  // One at a time: two would share the same cores, and both would be late.
  let before: Promise<unknown> = Promise.resolve();
  return {
    name: `${model} in this process`,
    ready: loading.then(() => undefined),
    async *write(messages, signal) {
      const { library, generate } = await loading;
      await before;
      if (signal.aborted) return;
      const pieces: string[] = [];
      let wake: (() => void) | undefined;
      let failure: unknown;
      let running = true;
      const stopper = new library.InterruptableStoppingCriteria();
      const stop = () => stopper.interrupt();
      signal.addEventListener('abort', stop);
      const streamer = new library.TextStreamer(generate.tokenizer, {
        skip_prompt: true,
        skip_special_tokens: true,
        callback_function: (text: string) => {
          pieces.push(text);
          wake?.();
        },
      });
      before = generate([...messages], {
        max_new_tokens: mostTokens,
        do_sample: false,
        streamer,
        stopping_criteria: stopper,
      })
        .catch((error: unknown) => {
          failure = error;
        })
        .finally(() => {
          running = false;
          signal.removeEventListener('abort', stop);
          wake?.();
        });
      while (running || pieces.length > 0) {
        const piece = pieces.shift();
        if (piece !== undefined) yield piece;
        else if (running) await new Promise<void>((resolve) => (wake = resolve));
      }
      if (failure !== undefined) throw new LanguageModelError('it failed as it ran', { cause: failure });
    },
  };
}

async function open(model: string, hub: HubOptions | undefined) {
  const library = await import('@huggingface/transformers');
  const folder = resolve(model);
  const isFolder = existsSync(join(folder, 'config.json'));
  library.env.allowLocalModels = true;
  library.env.allowRemoteModels = !isFolder && !hub?.offline;
  if (isFolder) library.env.localModelPath = dirname(folder);
  if (hub) library.env.cacheDir = join(hub.cacheDir, 'transformers-js');
  if (hub?.endpoint) library.env.remoteHost = `${hub.endpoint}/`;
  return { library, name: isFolder ? basename(folder) : model };
}

const refuse = (setting: string, model: string) => (error: unknown) => {
  const reason = error instanceof Error ? error.message : String(error);
  throw new UserError(
    `${setting} is "${model}", which cannot be loaded: ${reason.slice(0, 300)}`,
    'It must be a model with ONNX files for Transformers.js: the id of one on the hub, or the path of its folder.',
    { cause: error },
  );
};
