// What did they mean? Turns what came in into a call of one command; anything that is no command is a question.
import { distance } from 'fastest-levenshtein';
import type { Command } from './command.ts';
import type { Call } from './message.ts';

/** A call to carry out, or a misspelt command to ask back about. */
export type Route =
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'unknown'; readonly word: string; readonly suggestions: readonly Call[]; readonly text: string };

const greeting = /^(hi|hello|hey|hallo|good (morning|afternoon|evening)|start)[\s!.,]*$/i;
/** A mention of the bot at the start, as fronts pass it on: `@finetutor …`. */
const mention = /^@finetutor\b[\s,:]*/i;
/** A second word that only a command takes: a run, an option, or a file. */
const usageShaped = /^\S+\s+(run-\d+\b|--\w|\S+\.(csv|tsv|jsonl|json|txt|conll|zip)\b)/i;

/** @param text what a person typed, in any language and of any shape. */
export function routeText(text: string, commands: readonly Command[]): Route {
  const said = text.replace(mention, '').trim();
  const slash = said.startsWith('/');
  const body = slash ? said.slice(1) : said;
  const word = (/^\S*/.exec(body)?.[0] ?? '').toLowerCase();
  const rest = body.slice(word.length).trim();
  if (said === '' || greeting.test(said)) return call('help', {});

  const name = nameOf(word);
  const command = commands.find((candidate) => candidate.name === name || candidate.aliases?.includes(name));
  if (command !== undefined && (slash || command.isMeant(rest))) return call(command.name, command.parse(rest));
  if (command === undefined && (slash || rest === '' || usageShaped.test(body))) {
    const near = commands.filter((candidate) => isNear(name, candidate.name));
    if (slash || near.length > 0) {
      const suggestions = near.map((candidate) => ({ command: candidate.name, args: candidate.parse(rest) }));
      return { kind: 'unknown', word, suggestions, text: said };
    }
  }
  return call('ask', { question: said });
}

function call(command: string, args: Call['args']): Route {
  return { kind: 'call', call: { command, args } };
}

/** `fine-tune:` is the command `finetune`. */
function nameOf(word: string): string {
  return word.replace(/[:,]$/, '').replaceAll('-', '');
}

/** One slip of the finger from a name (two in a long one), or its letters in another order. */
function isNear(word: string, name: string): boolean {
  const sorted = (letters: string) => Array.from(letters).sort().join('');
  return distance(word, name) <= (name.length >= 7 ? 2 : 1) || sorted(word) === sorted(name);
}
