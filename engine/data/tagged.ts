// Reads sentences of words with a tag each: JSON lines of two lists, or CoNLL with a word and its tag a line.
import { basename } from 'node:path';
import { UserError } from '../errors.ts';
import { openRecords } from './table.ts';
import { count, readText, shown } from './text-file.ts';

export interface TaggedSentence {
  readonly words: readonly string[];
  readonly tags: readonly string[];
}

const fewestSentences = 5;
const mostTags = 500;

/** @throws UserError naming the line where words and tags do not fit together. */
export async function readTagged(
  path: string,
  columns: { readonly tokens: string; readonly tags: string },
  purpose: 'training' | 'evaluation',
  name = basename(path),
): Promise<{ readonly items: readonly TaggedSentence[]; readonly warnings: readonly string[] }> {
  const records = await openRecords(path, name);
  const items = records ? await readLists(records, name, columns) : await readConll(path, name);
  if (items.length === 0) throw new UserError(`${shown(name)} holds no sentence with tags.`, expected);
  if (purpose === 'training') checkTags(name, items);
  return { items, warnings: [] };
}

const expected =
  'Each line is {"tokens": ["Ada", "works"], "tags": ["B-PER", "O"]}; or CoNLL: a word, a space and its tag a line, a blank line between sentences.';

async function readLists(
  records: AsyncIterable<{ readonly line: number; readonly fields: object }>,
  name: string,
  columns: { readonly tokens: string; readonly tags: string },
): Promise<TaggedSentence[]> {
  const sentences: TaggedSentence[] = [];
  for await (const { line, fields } of records) {
    const list = (column: string): readonly string[] => {
      const value: unknown = Reflect.get(fields, column);
      if (Array.isArray(value) && value.every((one) => typeof one === 'string' || typeof one === 'number'))
        return value.map(String);
      throw new UserError(
        `Line ${count(line)} of ${shown(name)} has no list of texts called ${shown(column)}; it has ${Object.keys(fields).slice(0, 10).map(shown).join(', ')}.`,
        expected,
      );
    };
    const words = list(columns.tokens);
    const tags = list(columns.tags);
    if (words.length !== tags.length) {
      throw new UserError(
        `Line ${count(line)} of ${shown(name)} has ${words.length} words and ${tags.length} tags.`,
        'Give each word one tag.',
      );
    }
    if (words.length > 0) sentences.push({ words, tags });
  }
  return sentences;
}

/** The first column is the word, the last its tag (Tjong Kim Sang and De Meulder 2003). */
async function readConll(path: string, name: string): Promise<TaggedSentence[]> {
  let text = '';
  for await (const piece of readText(path, name)) text += piece;
  const sentences: TaggedSentence[] = [];
  let words: string[] = [];
  let tags: string[] = [];
  const close = () => {
    if (words.length > 0) sentences.push({ words, tags });
    words = [];
    tags = [];
  };
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const columns = line.trim() === '' ? [] : line.trim().split(/\s+/);
    const [word] = columns;
    const tag = columns.at(-1);
    if (word === undefined || word === '-DOCSTART-') close();
    else if (columns.length < 2 || tag === undefined) {
      throw new UserError(`Line ${count(index + 1)} of ${shown(name)} has no tag: ${shown(line)}.`, expected);
    } else {
      words.push(word);
      tags.push(tag);
    }
  }
  close();
  return sentences;
}

function checkTags(name: string, items: readonly TaggedSentence[]): void {
  if (items.length < fewestSentences) {
    throw new UserError(
      `${shown(name)} has ${items.length} sentences; training needs at least ${fewestSentences}.`,
      'Add more sentences: a few hundred are a good start.',
    );
  }
  const tags = new Set(items.flatMap((sentence) => sentence.tags));
  if (tags.size < 2) {
    throw new UserError(
      `Every word of ${shown(name)} has the same tag, ${shown([...tags][0] ?? '')}: there is nothing to tell apart.`,
      'Add sentences with other tags.',
    );
  }
  if (tags.size > mostTags) {
    throw new UserError(
      `${shown(name)} has ${count(tags.size)} different tags: that looks like free text, not tags.`,
      `There may be at most ${mostTags}. Check which column holds the tags.`,
    );
  }
}
