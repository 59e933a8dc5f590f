// Causal language modelling: plain texts, or conversations of which only the assistant's part is learnt.
import { z } from 'zod';
import { type ChatTemplate, createChatTemplate } from '../../data/chat-template.ts';
import { type ChatMessage, type LmDocument, readDocuments } from '../../data/documents.ts';
import type { Tokenizer } from '../../data/tokenizer.ts';
import { UserError } from '../../errors.ts';
import type { Base } from '../../models/base.ts';
import type { SpecOf } from '../../runs/spec.ts';
import { generate } from '../generate.ts';
import { tokenObjective } from '../losses.ts';
import { chooseSamples } from './samples.ts';
import { readSides, type Sides } from './sides.ts';
import type { EncodedTask, Task } from './task.ts';
import { type GuessedText, guessingBatch, measureGuesses } from './token-targets.ts';

type Spec = SpecOf<'causal-lm'>;

const sampleTokens = 32;
/** Of a plain text, shown before the model goes on. */
const samplePromptTokens = 24;

/** A document as tokens, and which of them are learnt. */
interface Sequence {
  readonly ids: readonly number[];
  readonly learnt: readonly boolean[];
  /** How many tokens each of the texts in it has; it is one text, unless given. */
  readonly texts?: readonly number[];
}

export const causalLm: Task<'causal-lm'> = {
  async read(spec) {
    const { data, hyper } = spec;
    const sides = await readSides(data, hyper.seed, (path) => readDocuments(path, data.format), JSON.stringify);
    const { train, held, warnings } = sides;
    return {
      head: { kind: 'causal-lm' },
      labels: [],
      texts: train.map(textOf),
      trainExamples: train.length,
      warnings,
      fingerprint: [...train, ...held].map((document) => JSON.stringify(document)),
      encode: (base, { maxLength }) => encode(spec, sides, base, maxLength),
    };
  },
  async predict(_network, { base, record }, texts, { writing, openWriter }) {
    const { tokenizer, model, tokenizerFiles } = base;
    const { maxTokens, ...drawing } = writing;
    // A model made elsewhere says whether it chats by having a template.
    const chat = z
      .boolean()
      .catch('chat_template' in tokenizerFiles.config)
      .parse(record.chat);
    const template = createChatTemplate(tokenizerFiles.config);
    const stopIds = endsOf(base);
    const answers: string[] = [];
    for (const text of texts) {
      const prompt = chat
        ? tokenizer.encodePart(template.prompt([{ role: 'user', content: text }]))
        : startOf(tokenizer, text);
      // Of a long text the end is gone on from; half of what the model reads at once is left for that.
      const longest = Math.max(Math.floor(model.maxLength / 2), model.maxLength - maxTokens);
      if (chat && prompt.length > longest) {
        throw new UserError(
          `The text has ${prompt.length} tokens; this model reads ${model.maxLength} at once, its answer among them.`,
          'Send a shorter text, or ask for a shorter answer.',
        );
      }
      const written: number[] = [];
      for await (const token of openWriter().write(prompt.slice(-longest), { maxTokens, stopIds, ...drawing }))
        written.push(token);
      const answer = tokenizer.decode(written);
      answers.push(chat ? answer.trim() : answer);
    }
    return answers.map((text) => ({ kind: 'continuation', text }));
  },
  pipeline: 'text-generation',
  peftType: 'CAUSAL_LM',
};

/** Whatever ends a text: the tokenizer's end, and those that config.json and generation_config.json name, one or several. */
function endsOf({ tokenizer, rawConfig, generationConfig }: Base): number[] {
  const named = z
    .union([z.number().transform((id) => [id]), z.array(z.number())])
    .catch([])
    .parse(generationConfig?.eos_token_id ?? rawConfig.eos_token_id);
  return [...new Set([...named, ...(tokenizer.endId === undefined ? [] : [tokenizer.endId])])];
}

/** @throws UserError when the checkpoint lacks what scores the next word: drawn at random it would write nonsense. */
function refuseHeadless({ fresh, model, source, weights }: Base): void {
  const missing = [...model.parameters({ kind: 'causal-lm' }).keys()].find((name) => !weights.has(name));
  if (fresh || missing === undefined) return;
  throw new UserError(
    `${source} has no tensor ${missing}, which scores the next word.`,
    'It was saved without its language-model head. Take the whole model, such as one called …ForCausalLM.',
  );
}

const textOf = (document: LmDocument) =>
  document.kind === 'text' ? document.text : document.messages.map(({ content }) => content).join('\n');

/** The text as the tokenizer begins one, without its end. */
function startOf(tokenizer: Tokenizer, text: string): number[] {
  const { ids, opening } = tokenizer.wrap([], Number.POSITIVE_INFINITY);
  return [...ids.slice(0, opening), ...tokenizer.encodePart(text)];
}

/** Everything but the first token is learnt, the end of the text too. */
function encodeText(tokenizer: Tokenizer, text: string): Sequence {
  const ids = startOf(tokenizer, text);
  if (tokenizer.endId !== undefined) ids.push(tokenizer.endId);
  return { ids, learnt: ids.map((_, index) => index > 0) };
}

/** Prompt and answer are encoded apart, as they are when the model is used. */
function encodeChat(tokenizer: Tokenizer, template: ChatTemplate, messages: readonly ChatMessage[]): Sequence {
  const ids: number[] = [];
  const learnt: boolean[] = [];
  for (const part of template.parts(messages)) {
    const own = tokenizer.encodePart(part.text);
    ids.push(...own);
    learnt.push(...own.map(() => part.learnt));
  }
  return { ids, learnt };
}

/** A plain text that is too long goes on in the next piece; a conversation is cut. */
function cutToLength(sequence: Sequence, kind: LmDocument['kind'], maxLength: number): Sequence[] {
  const pieces: Sequence[] = [];
  const { length } = sequence.ids;
  for (let start = 0; start < length && (kind === 'text' || start === 0); start += maxLength) {
    const learnt = sequence.learnt.slice(start, start + maxLength);
    // The first token of a piece has nothing before it to be guessed from.
    if (learnt.slice(1).includes(true)) pieces.push({ ids: sequence.ids.slice(start, start + maxLength), learnt });
  }
  return pieces;
}

/** Puts texts one after another into rows that are as full as can be (first fit, longest first). No text sees another. */
function pack(sequences: readonly Sequence[], maxLength: number): Sequence[] {
  const rows: { ids: number[]; learnt: boolean[]; texts: number[] }[] = [];
  for (const { ids, learnt } of sequences.toSorted((a, b) => b.ids.length - a.ids.length)) {
    const row = rows.find((one) => one.ids.length + ids.length <= maxLength);
    if (row) {
      row.ids.push(...ids);
      // What begins a text cannot be guessed from the one before.
      row.learnt.push(false, ...learnt.slice(1));
      row.texts.push(ids.length);
    } else rows.push({ ids: [...ids], learnt: [...learnt], texts: [ids.length] });
  }
  return rows;
}

/** At each place the token that follows, where it is learnt. */
function guessNext({ ids, learnt, texts }: Sequence): GuessedText {
  return {
    ids,
    ...(texts ? { texts } : {}),
    guesses: ids.map((_, index) => (learnt[index + 1] ? ids[index + 1] : undefined)),
  };
}

function encode({ hyper }: Spec, { train, held }: Sides<LmDocument>, base: Base, maxLength: number): EncodedTask {
  refuseHeadless(base);
  const { tokenizer } = base;
  const template = createChatTemplate(base.tokenizerFiles.config);
  const shape = { padId: tokenizer.padId, maxLength };
  const encodeOne = (document: LmDocument) =>
    document.kind === 'text'
      ? encodeText(tokenizer, document.text)
      : encodeChat(tokenizer, template, document.messages);
  const encodeAll = (set: readonly LmDocument[]) =>
    set.flatMap((document) => cutToLength(encodeOne(document), document.kind, maxLength));
  const pieces = encodeAll(train);
  const trained = (hyper.packing ? pack(pieces, maxLength) : pieces).map(guessNext);
  const measured = encodeAll(held).map(guessNext);
  if (trained.length === 0 || measured.length === 0) {
    throw new UserError(
      `Nothing to learn is left of the ${trained.length === 0 ? 'training' : 'held-out'} texts after ${maxLength} tokens.`,
      `Raise maxLength (${hyper.maxLength}), or shorten the prompts.`,
    );
  }
  const chats = train.filter(({ kind }) => kind === 'chat').length;
  const lost = hyper.packing
    ? 0
    : train.length - new Set(train.filter((one) => cutToLength(encodeOne(one), one.kind, maxLength).length > 0)).size;
  return {
    objective: tokenObjective(hyper.labelSmoothing),
    lengths: trained.map(({ ids }) => ids.length),
    heldExamples: held.length,
    warnings:
      lost === 0
        ? []
        : [`${lost} examples have no answer left within ${maxLength} tokens and teach nothing; raise maxLength.`],
    trainingBatch: (chosen, rows) =>
      guessingBatch(
        chosen.map((index) => trained[index] ?? { ids: [], guesses: [] }),
        rows,
        shape,
      ),
    async measure(network) {
      return {
        metrics: await measureGuesses(network, measured, hyper.batchSize, shape),
        async samples() {
          const chosen = chooseSamples(held.length, hyper.seed).flatMap((index) => held[index] ?? []);
          const prompts = chosen.map((document) => splitSample(document, tokenizer, template));
          const written = await generate(
            network,
            prompts.map(({ ids }) => ids),
            { ...shape, endId: tokenizer.endId, newTokens: Math.min(sampleTokens, Math.ceil(maxLength / 2)) },
          );
          return prompts.map(({ text, actual }, index) => ({
            text,
            actual,
            predicted: tokenizer.decode(written[index] ?? []).trim(),
          }));
        },
      };
    },
    record: { chat: chats > 0 },
  };
}

/** What is given and what followed. */
function splitSample(document: LmDocument, tokenizer: Tokenizer, template: ChatTemplate) {
  if (document.kind === 'text') {
    const ids = startOf(tokenizer, document.text);
    const given = Math.min(samplePromptTokens, Math.ceil(ids.length / 2));
    return {
      ids: ids.slice(0, given),
      text: tokenizer.decode(ids.slice(0, given)),
      actual: tokenizer.decode(ids.slice(given, given + sampleTokens)).trim(),
    };
  }
  const last = document.messages.findLastIndex(({ role }) => role === 'assistant');
  const before = document.messages.slice(0, last);
  return {
    ids: tokenizer.encodePart(template.prompt(before)),
    text: before.at(-1)?.content ?? '',
    actual: document.messages[last]?.content ?? '',
  };
}
