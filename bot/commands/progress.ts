// progress: how well each chapter sits, what is shaky, the streak, and what is due.
import { z } from 'zod';
import type { Progress } from '../../engine/index.ts';
import { defineCommand } from '../chat/command.ts';
import { outlookInWords, progressBar, streakInWords, wholePercent } from '../chat/learning.ts';
import type { Block, Reply } from '../chat/message.ts';
import { button, buttons, reply, text } from '../chat/reply.ts';

/** Below it a concept is worth reading again. */
const shaky = 0.6;
const shakyShown = 3;

export const progress = defineCommand({
  name: 'progress',
  aliases: ['me'],
  summary: 'what you have mastered, what is shaky, and your streak',
  usage: 'progress',
  examples: ['progress', 'me'],
  args: z.strictObject({}),
  parse: () => ({}),
  isMeant: (rest) => rest === '',
  async *execute(_args, { engine, place, person, now }) {
    yield show(await engine.reviews.progress({ workspaceId: place.workspaceId, personId: person.id }), now());
  },
});

function show(progress: Progress, now: Date): Reply {
  const { chapters, chaptersInAll, due } = progress;
  const quiz = button('Take a quiz', { command: 'quiz', args: {} }, due > 0 ? 'secondary' : 'primary');
  const roadmap = button('Roadmap', { command: 'roadmap', args: {} });
  if (chapters.length === 0) {
    return reply(
      text('**No quiz yet.** Answer a few questions, and here stands what you have mastered.'),
      buttons(quiz, roadmap),
    );
  }
  const begun = `${chapters.length} of ${chaptersInAll} ${chaptersInAll === 1 ? 'chapter' : 'chapters'} begun`;
  const blocks: Block[] = [
    text(`**${streakInWords(progress.streakDays)}** · ${begun}\n\n${outlookInWords(progress, now)}`),
    {
      kind: 'table',
      caption: 'How likely you are to answer right today',
      columns: [
        { label: 'Chapter', align: 'left' },
        { label: 'Mastery', align: 'left' },
        { label: 'Asked', align: 'right' },
        { label: 'Due', align: 'right' },
      ],
      rows: chapters.map(({ title, mastery, answered, questions, due: dueHere }) => [
        title,
        progressBar(mastery),
        `${answered} of ${questions}`,
        String(dueHere),
      ]),
    },
  ];
  const weak = shakyConcepts(progress);
  if (weak.length > 0) {
    blocks.push(text('Shaky, worth reading again:'), {
      kind: 'sources',
      sources: weak.map(({ chapterId, sectionId, title, mastery }) => ({
        chapterId,
        sectionId,
        title: `${title} (${wholePercent(mastery)})`,
        quote: '',
      })),
    });
  }
  const review = button('Review now', { command: 'review', args: {} }, 'primary');
  blocks.push(buttons(...(due > 0 ? [review] : []), quiz, roadmap));
  return reply(...blocks);
}

/** Of what has been asked in full; what is only begun would look shaky for want of questions. */
function shakyConcepts({ chapters }: Progress) {
  return chapters
    .flatMap(({ title: chapter, concepts }) =>
      concepts
        .filter(({ answered, questions, mastery }) => answered === questions && mastery < shaky)
        .map((concept) => ({ ...concept, title: `${chapter} › ${concept.title}` })),
    )
    .toSorted((a, b) => a.mastery - b.mastery)
    .slice(0, shakyShown);
}
