// How the learning goes, in words: when questions come back, streaks, and mastery as a bar.
import type { NextStep, Outlook } from '../../engine/index.ts';

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `in 3 hours`, `tomorrow`, `in 5 days`. */
function inWords(from: Date, to: Date): string {
  const ms = Math.max(0, to.getTime() - from.getTime());
  if (ms < hourMs) return relative.format(Math.max(1, Math.ceil(ms / minuteMs)), 'minute');
  if (ms < dayMs) return relative.format(Math.round(ms / hourMs), 'hour');
  return relative.format(Math.round(ms / dayMs), 'day');
}

export function outlookInWords({ due, nextAt }: Outlook, now: Date): string {
  if (due > 0) return `**${questions(due)} due for review now.**`;
  if (nextAt === undefined)
    return 'Nothing is due: each question you answer in a quiz comes back when you would forget it.';
  return `Nothing is due now; the next review comes ${inWords(now, nextAt)}.`;
}

const questions = (count: number) => (count === 1 ? '1 question is' : `${count} questions are`);

export const streakInWords = (days: number) =>
  days === 0 ? 'No streak now' : days === 1 ? 'Day 1 of a streak' : `${days} days in a row`;

const cells = 8;

/** `▰▰▰▰▱▱▱▱ 50 %`. @param share from 0 to 1. */
export function progressBar(share: number): string {
  const full = Math.round(share * cells);
  return `${'▰'.repeat(full)}${'▱'.repeat(cells - full)} ${wholePercent(share)}`;
}

export const wholePercent = (share: number) => `${Math.round(share * 100)} %`;

export function nextInWords(next: NextStep | undefined): string {
  if (next === undefined) return '**The whole roadmap is done.** What is left is to keep it: `review`.';
  const { phase, step, unlocks } = next;
  const opens = unlocks.length === 0 ? '' : ` It opens ${list(unlocks)}.`;
  return `**Next:** ${taskInWords(next)}${step === undefined ? '' : `, in phase ${phase.number}, ${phase.phase.title}`}.${opens}`;
}

/** "read *Overfitting* (40 min, 2 of 9 sections read)". */
function taskInWords({ do: task, phase, step }: NextStep): string {
  if (step === undefined) return `${phase.phase.build} (the piece of work of phase ${phase.number})`;
  if (task === 'quiz') return `pass the quiz on *${step.title}* (7 of 8)`;
  const far = step.sectionsRead === 0 ? '' : `, ${step.sectionsRead} of ${step.sections} sections read`;
  return `read *${step.title}* (${step.minutes} min${far})${step.hasQuiz ? ' and pass its quiz' : ''}`;
}

const list = (words: readonly string[]) =>
  new Intl.ListFormat('en', { type: 'conjunction' }).format(words.map((word) => `*${word}*`));
