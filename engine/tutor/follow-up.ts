// "And L1?", "why?", "how do I fix it?": a follow-up is read together with the question that it follows.
import type { Turn } from './tutor.ts';

const pronoun = /\b(?:it|its|that|this|these|those|they|them|their|one|ones|former|latter|same)\b/i;
const opening =
  /^\W*(?:and|but|so|or|also|then|what about|how about|what if|why|how so|how come|when|which|for example|example|more|go on|ok|okay)\b/i;
const longestFollowUp = 9;
const turnsRead = 6;

export function isFollowUp(question: string): boolean {
  const words = question.split(/\s+/).filter((word) => word !== '').length;
  if (words <= 2) return true;
  return words <= longestFollowUp && (pronoun.test(question) || opening.test(question));
}

/** What the last questions were about, oldest first; empty when nothing was asked before. */
export function topicOf(turns: readonly Turn[]): string {
  let topic = '';
  for (const { role, text } of turns.slice(-2 * turnsRead)) {
    if (role !== 'user') continue;
    topic = topic !== '' && isFollowUp(text) ? `${topic} ${text}` : text;
  }
  return topic.slice(-1000);
}
