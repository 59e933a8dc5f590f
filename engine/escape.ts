// Other people's words inside our markdown: shown exactly as written, never as markup, a mention or a link.

/** Zero-width space: breaks mentions and bare addresses without changing what a reader sees. */
const breaker = '\u200B';

// Control characters and the ones that reorder text on screen (bidirectional overrides and isolates).
const unseen = /(?![\n\t])[\p{Cc}\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu;

/** Takes out control characters and text-reordering characters; line breaks and tabs stay. */
function stripControls(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll('\r', '\n').replace(unseen, '');
}

/** One line of untrusted text, safe to place inside markdown. `limit` is in characters; longer text ends in `…`. */
export function plain(text: string, limit = Number.POSITIVE_INFINITY): string {
  return shorten(stripControls(text).replace(/\s+/g, ' ').trim(), limit)
    .replace(/[\\`*_{}[\]<>()#+\-!|~&=$^]/g, '\\$&')
    .replace(/^(\d+)\./, '$1\\.')
    .replaceAll('@', `@${breaker}`)
    .replaceAll('://', `:${breaker}//`)
    .replace(/\bwww\./gi, (found) => `${found.slice(0, 3)}${breaker}.`);
}

/** One line of untrusted text as a code span. */
export function code(text: string, limit = Number.POSITIVE_INFINITY): string {
  const line = shorten(stripControls(text).replace(/\s+/g, ' ').trim(), limit);
  const longestRun = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longestRun + 1);
  const room = line === '' || line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${room}${line}${room}${fence}`;
}

/**
 * Cuts at `limit` characters (never inside a surrogate pair), with an ellipsis for what is left out; at the end of a word
 * where the last one is not too long for that.
 */
export function shorten(text: string, limit: number): string {
  const characters = text.length <= limit ? undefined : Array.from(text);
  if (characters === undefined || characters.length <= limit) return text;
  const kept = characters.slice(0, Math.max(0, limit - 1)).join('');
  const lastWord = /\s/.test(characters[limit - 1] ?? '') ? '' : (/\s\S*$/.exec(kept)?.[0] ?? '');
  return `${(lastWord.length <= kept.length / 4 ? kept.slice(0, kept.length - lastWord.length) : kept).trimEnd()}…`;
}
