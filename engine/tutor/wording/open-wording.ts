// Puts a language model behind the tutor where one is set; nothing of it is loaded where none is.
import type { Embedder, Guide } from '../../../knowledge/index.ts';
import type { HubOptions } from '../../models/hub-options.ts';
import type { Tutor } from '../answer.ts';
import type { WordingOptions } from './with-wording.ts';

export interface LlmOptions {
  /** Undefined: the model runs in this process. */
  readonly baseUrl: string | undefined;
  readonly model: string;
  readonly apiKey: string | undefined;
  readonly timeLimitMs: number;
}

interface OpenOptions extends Pick<WordingOptions, 'now' | 'log'> {
  readonly llm: LlmOptions | undefined;
  readonly hub: HubOptions | undefined;
  readonly guide: Pick<Guide, 'chapter' | 'section'>;
  readonly embedder: Promise<Embedder>;
}

/** @throws UserError when a model of this process cannot be loaded. */
export async function openWording(tutor: Tutor, { llm, hub, guide, embedder, now, log }: OpenOptions): Promise<Tutor> {
  if (llm === undefined) return tutor;
  const [{ withWording }, { createFindEvidence }] = await Promise.all([
    import('./with-wording.ts'),
    import('./support.ts'),
  ]);
  return withWording(tutor, {
    model: await openModel(llm, hub),
    findEvidence: createFindEvidence({ embed: async (texts) => (await embedder).embed(texts) }),
    titleOf: (chapterId, sectionId) => {
      const chapter = guide.chapter(chapterId);
      const section = guide.section(chapterId, sectionId);
      return chapter && section && `${chapter.title} › ${section.title}`;
    },
    timeLimitMs: llm.timeLimitMs,
    now,
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
    log,
  });
}

async function openModel(llm: LlmOptions, hub: HubOptions | undefined) {
  const { baseUrl, model, apiKey } = llm;
  if (baseUrl !== undefined) {
    const { createOpenAiModel } = await import('./openai.ts');
    return createOpenAiModel({ baseUrl, model, apiKey });
  }
  const { loadHubWriter } = await import('../../transformers.ts');
  const writer = loadHubWriter(model, hub);
  await writer.ready;
  return writer;
}
