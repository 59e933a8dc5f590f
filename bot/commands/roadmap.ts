// roadmap: the guide's phases, what one has read, passed and built of them, what comes next and what it opens.
import { z } from 'zod';
import type { NextStep, PhaseStanding, RoadmapStanding, Step } from '../../engine/index.ts';
import { type CommandContext, defineCommand, optionalText } from '../chat/command.ts';
import { nextInWords } from '../chat/learning.ts';
import type { Block, Button, Reply } from '../chat/message.ts';
import { button, buttons, reply, text } from '../chat/reply.ts';

const actions = ['read', 'unread', 'built', 'unbuilt'] as const;

export const roadmap = defineCommand({
  name: 'roadmap',
  aliases: ['path'],
  summary: 'the way through the guide: what you have done, what is next, what it opens',
  usage: 'roadmap [phase] | roadmap read|unread <chapter[#section]> | roadmap built|unbuilt <phase>',
  examples: ['roadmap', 'roadmap fine-tuning', 'roadmap read overfitting-underfitting', 'roadmap built 1'],
  args: z.strictObject({ action: z.enum(actions).optional(), what: optionalText }),
  parse: (rest) => {
    const { action, what } = /^(?:(?<action>read|unread|built|unbuilt)\b\s*)?(?<what>.*)$/is.exec(rest)?.groups ?? {};
    return { ...(action ? { action: action.toLowerCase() } : {}), ...(what ? { what } : {}) };
  },
  // "roadmap to become an ml engineer" is a question.
  isMeant: (rest) => !/[?]|^(to|for|of|how|what|i|from)\b/i.test(rest) && rest.split(/\s+/).length <= 5,
  async *execute({ action, what }, context) {
    const { engine, place, person } = context;
    const member = { workspaceId: place.workspaceId, personId: person.id };
    if (action === 'read' || action === 'unread') {
      yield await markRead(what ?? '', action === 'read', context);
    } else if (action !== undefined) {
      const phase = await engine.roadmap.markBuilt(member, what ?? '', action === 'built');
      yield showPhase(await engine.roadmap.standing(member), phase.id);
    } else if (what !== undefined) {
      const { id } = engine.roadmap.find(what);
      yield showPhase(await engine.roadmap.standing(member), id);
    } else {
      yield await showAll(context);
    }
  },
});

/** Under a section of the guide that was shown whole. */
export function offerRead(chapterId: string, sectionId: string): Button {
  return button('Mark as read', { command: 'roadmap', args: { action: 'read', what: `${chapterId}#${sectionId}` } });
}

async function markRead(what: string, read: boolean, { engine, place, person }: CommandContext): Promise<Reply> {
  const member = { workspaceId: place.workspaceId, personId: person.id };
  const marked = await engine.roadmap.markRead(member, what, read);
  const { phases, next } = await engine.roadmap.standing(member);
  const step = phases.flatMap(({ steps }) => steps).find(({ chapterId }) => chapterId === marked.chapterId);
  const far = step === undefined ? '' : ` ${step.sectionsRead} of ${step.sections} sections of **${step.title}** read.`;
  const back = { command: 'roadmap', args: { action: read ? 'unread' : 'read', what: marked.what } };
  return {
    ...reply(
      text(`${read ? '✓ Read' : 'Not read'}: **${marked.title}**.${far}`),
      buttons(
        ...(read && step !== undefined && !step.done ? [nextFor(step)] : next === undefined ? [] : [nextButton(next)]),
        button(read ? 'Take it back' : 'Mark as read', back),
        button('Roadmap', { command: 'roadmap', args: {} }),
      ),
    ),
    slot: `read:${person.id}:${marked.what}`,
  };
}

async function showAll({ engine, place, person }: CommandContext): Promise<Reply> {
  const standing = await engine.roadmap.standing({ workspaceId: place.workspaceId, personId: person.id });
  const { phases, next } = standing;
  const { picture, alt } = await engine.roadmap.draw(standing);
  const open: Block = {
    kind: 'select',
    label: 'Look into a phase',
    options: phases.map(({ phase, number }) => ({
      label: `${number} ${phase.title}`,
      value: phase.id,
      description: `${phase.hours} hours: ${phase.afterwards}`,
    })),
    call: { command: 'roadmap', args: {} },
    argument: 'what',
  };
  return reply(
    text(nextInWords(next)),
    { kind: 'picture', pictureId: picture.id, width: picture.width, height: picture.height, alt },
    {
      kind: 'table',
      caption: 'Phases',
      columns: [
        { label: 'Phase', align: 'left' },
        { label: 'Hours', align: 'right' },
        { label: 'Chapters done', align: 'right' },
        { label: 'Built', align: 'left' },
        { label: 'Reviews due', align: 'right' },
      ],
      rows: phases.map(({ phase, number, steps, built }) => [
        `${number} ${phase.title}`,
        String(phase.hours),
        `${steps.filter(({ done }) => done).length} of ${steps.length}`,
        built ? 'yes' : 'not yet',
        String(dueIn(steps)),
      ]),
    },
    ...(next === undefined ? [] : [buttons(nextButton(next), ...readButton(next.step), ...reviewButton(phases))]),
    open,
  );
}

function showPhase({ phases, next }: RoadmapStanding, phaseId: string): Reply {
  const shown = phases.find(({ phase }) => phase.id === phaseId);
  if (shown === undefined) throw new Error(`the roadmap lost its phase ${phaseId}`);
  const { phase, number, steps, built, done, waitsFor } = shown;
  const state = done
    ? `**Done.** You can now ${phase.afterwards}.`
    : waitsFor.length > 0
      ? `Builds on ${waitsFor.join(' and ')}, not done yet; nothing keeps you from starting here.`
      : `Afterwards you can ${phase.afterwards}.`;
  const open = steps.find((step) => !step.done);
  const mark = { command: 'roadmap', args: { action: built ? 'unbuilt' : 'built', what: phase.id } };
  return reply(
    text(`### Phase ${number}: ${phase.title}\n\n${state}\n\n**Piece of work:** ${phase.build}${built ? ' ✓' : ''}.`),
    {
      kind: 'table',
      caption: 'Chapters',
      columns: [
        { label: 'Chapter', align: 'left' },
        { label: 'Minutes', align: 'right' },
        { label: 'Read', align: 'right' },
        { label: 'Quiz', align: 'left' },
        { label: 'Reviews due', align: 'right' },
      ],
      rows: steps.map((step) => [
        step.title,
        String(step.minutes),
        `${step.sectionsRead} of ${step.sections}`,
        quizInWords(step),
        String(step.due),
      ]),
    },
    {
      kind: 'sources',
      sources: [{ chapterId: 'roadmap', sectionId: phase.id, title: `Learning roadmap › ${phase.title}`, quote: '' }],
    },
    buttons(
      ...(open === undefined ? [] : [nextFor(open), ...readButton(open)]),
      button(built ? 'Not built after all' : 'I have built it', mark),
      ...(next === undefined || next.phase.phase.id === phaseId ? [] : [nextButton(next)]),
      button('Roadmap', { command: 'roadmap', args: {} }),
    ),
  );
}

function nextButton({ step, phase }: NextStep): Button {
  return step === undefined
    ? button('I have built it', { command: 'roadmap', args: { action: 'built', what: phase.phase.id } }, 'primary')
    : nextFor(step);
}

/** Reading comes before the quiz, but nobody is kept from it. */
function nextFor({ chapterId, title, nextSection, sectionsRead }: Step): Button {
  if (nextSection === undefined)
    return button(`Quiz: ${title}`, { command: 'quiz', args: { chapter: chapterId } }, 'primary');
  const concept = `${chapterId}#${nextSection.id}`;
  const what = sectionsRead === 0 ? title : nextSection.title;
  return button(`Read: ${what}`, { command: 'explain', args: { concept } }, 'primary');
}

function readButton(step: Step | undefined): readonly Button[] {
  if (step?.nextSection === undefined) return [];
  return [button('I have read this chapter', { command: 'roadmap', args: { action: 'read', what: step.chapterId } })];
}

const dueIn = (steps: readonly Step[]) => steps.reduce((sum, { due }) => sum + due, 0);

function reviewButton(phases: readonly PhaseStanding[]): readonly Button[] {
  const due = phases.reduce((sum, { steps }) => sum + dueIn(steps), 0);
  return due === 0 ? [] : [button('Review now', { command: 'review', args: {} })];
}

function quizInWords({ best, hasQuiz, done }: Step): string {
  if (!hasQuiz) return '–';
  if (best === undefined) return 'not yet';
  return `${best.correct} of ${best.total}${done ? ' ✓' : ''}`;
}
