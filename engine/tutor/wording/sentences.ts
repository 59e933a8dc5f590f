// Cuts what a language model writes into sentences while it is still writing, each with the passages it names.

export interface WrittenSentence {
  /** Without its citations. */
  readonly text: string;
  /** Numbers of passages, from 1. */
  readonly cited: readonly number[];
  /** What stood before it: a line break begins a paragraph. */
  readonly begins: boolean;
}

const end = /^([^\n]*?[.!?…]["”'’)*`]*(?:\s*\[[\d,\s]+\])*|[^\n]*\n)(?=\s*[^\s[])/;
const abbreviation = /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|fig|eq|no|dr|al)\.$/i;
const citation = /\s*\[([\d,\s]+)\]/g;

export function createSentenceCutter() {
  let held = '';
  let begins = true;

  function* take(final: boolean): Generator<WrittenSentence, void> {
    let searched = '';
    for (;;) {
      const rest = held.slice(searched.length);
      const found = end.exec(rest)?.[1];
      if (found === undefined) break;
      const candidate = searched + found;
      const next = held[candidate.length] ?? '';
      // "0.5" and "e.g. this" end nothing.
      if (!candidate.endsWith('\n') && (!/\s/.test(next) || abbreviation.test(candidate.trim()))) {
        searched = candidate;
        continue;
      }
      held = held.slice(candidate.length);
      searched = '';
      yield* read(candidate);
      if (candidate.endsWith('\n') || /^[^\S\n]*\n/.test(held)) begins = true;
    }
    if (final) {
      yield* read(held);
      held = '';
    }
  }

  function* read(written: string): Generator<WrittenSentence, void> {
    const cited = [...written.matchAll(citation)].flatMap(([, numbers = '']) => numbers.split(',').map(Number));
    const text = written
      .replace(citation, '')
      .replace(/\s+/g, ' ')
      .replace(/\s+([.,;:!?])/g, '$1')
      .trim();
    if (text === '' || /^#|^[-*]$/.test(text)) return;
    yield { text: text.replace(/^[-*•]\s+/, ''), cited: [...new Set(cited)], begins };
    begins = false;
  }

  return {
    add(piece: string) {
      held += piece;
      return [...take(false)];
    },
    /** What was left when the model ended. */
    end: () => [...take(true)],
  };
}
