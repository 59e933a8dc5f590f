// What Slack takes at most, as data. Lengths are UTF-16 units, as Slack counts them. https://docs.slack.dev/reference/block-kit

export const limits = {
  blocksPerMessage: 50,
  blocksPerView: 100,
  /** All blocks of a message together, as JSON; Slack refuses a little above (`msg_blocks_too_long`). */
  blockCharacters: 12_500,
  sectionText: 3000,
  header: 150,
  contextElements: 10,
  actionsElements: 25,
  buttonText: 75,
  buttonValue: 2000,
  options: 100,
  optionText: 75,
  optionValue: 150,
  actionId: 255,
  tableRows: 100,
  tableColumns: 20,
  /** Readable characters of a table. */
  tableCharacters: 10_000,
  tablesPerMessage: 1,
  /** The message's plain text: longer is cut off by Slack. */
  text: 40_000,
  imageAlt: 2000,
  taskTitle: 256,
  planTasks: 50,
  viewTitle: 24,
  viewButton: 24,
  inputLabel: 2000,
  inputText: 3000,
  placeholder: 150,
  radioOptions: 10,
  checkboxes: 10,
  privateMetadata: 3000,
  suggestedPrompts: 4,
  /** A conversation's, in the app's own view. */
  threadTitle: 80,
  /** One piece of streamed markdown. */
  streamedMarkdown: 12_000,
} as const;

/**
 * The beginning of `text` within `limit` units, up to the end of a word where that is not far back, never half a character;
 * `…` stands for what is left out.
 */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = text.charCodeAt(limit - 2);
  const inside = end >= 0xd800 && end <= 0xdbff;
  const kept = text.slice(0, limit - (inside ? 2 : 1));
  const lastWord = /^\s/.test(text.slice(kept.length)) ? '' : (/\s\S*$/.exec(kept)?.[0] ?? '');
  const whole = lastWord.length <= kept.length / 4 ? kept.slice(0, kept.length - lastWord.length) : kept;
  return `${whole.trimEnd()}…`;
}
