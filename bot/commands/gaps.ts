// gaps: for maintainers, what was asked here and not answered, or answered badly, by theme.
import { z } from 'zod';
import { type Gap, type Theme, UserError } from '../../engine/index.ts';
import { type CommandContext, defineCommand } from '../chat/command.ts';
import { plain } from '../chat/escape.ts';
import { isAtThisComputer, isMaintainer, listMaintainers, nameMaintainer } from '../chat/maintainers.ts';
import { aside, text } from '../chat/reply.ts';

const themesShown = 12;
const questionsShown = 4;

export const gaps = defineCommand({
  name: 'gaps',
  summary: 'for maintainers: questions left open or answered badly, by theme',
  usage: 'gaps [allow <person id> [workspace id]]',
  examples: ['gaps', 'gaps allow 123456789012345678'],
  args: z.strictObject({
    allow: z.string().trim().min(1).max(100).optional(),
    workspace: z.string().trim().min(1).max(200).optional(),
  }),
  parse: (rest) => {
    const [, allow, workspace] = /^allow\s+(?:<@!?)?([\w.-]+)>?(?:\s+(\S+))?$/i.exec(rest) ?? [];
    return { ...(allow === undefined ? {} : { allow }), ...(workspace === undefined ? {} : { workspace }) };
  },
  isMeant: (rest) => rest === '' || /^allow\s/i.test(rest),
  async *execute({ allow, workspace }, context) {
    const { engine, place, person } = context;
    if (!(await isMaintainer(engine.kept, place, person))) {
      throw new UserError(
        'Only maintainers see the gaps.',
        `Whoever runs this bot names one on its own page: gaps allow ${person.id} ${place.workspaceId}`,
      );
    }
    if (allow !== undefined) {
      yield await appoint(allow, workspace ?? place.workspaceId, context);
      return;
    }
    yield aside(text(listThemes(await engine.questions.gaps(place.workspaceId))));
  },
});

async function appoint(personId: string, workspaceId: string, { engine, place }: CommandContext) {
  if (workspaceId !== place.workspaceId) {
    if (!isAtThisComputer(place)) {
      throw new UserError(
        'Maintainers of another workspace are not named from here.',
        'Do it on the page of the bot itself.',
      );
    }
    if (!(await engine.conversations.workspaces()).includes(workspaceId)) {
      throw new UserError(
        `There is no workspace ${workspaceId}.`,
        'It appears once somebody has written to the bot there.',
      );
    }
  }
  await nameMaintainer(engine.kept, workspaceId, personId);
  const all = await listMaintainers(engine.kept, workspaceId);
  return aside(text(`Maintainers of ${plain(workspaceId)}: ${all.map((id) => plain(id)).join(', ')}.`));
}

function listThemes(themes: readonly Theme<Gap>[]): string {
  if (themes.length === 0) return '**No gaps.** Every question asked here was answered, and none was marked unhelpful.';
  const count = themes.reduce((sum, { items }) => sum + items.length, 0);
  const shown = themes.slice(0, themesShown).map(({ name, items }) => {
    const lines = items.slice(0, questionsShown).map(({ question, abstained, unhelpful, reasons }) => {
      const why = [
        ...(abstained ? ['not covered'] : []),
        ...(unhelpful > 0
          ? [`${unhelpful} × not helpful${reasons.length > 0 ? ` (${[...new Set(reasons)].join(', ')})` : ''}`]
          : []),
      ];
      return `- ${plain(question, 160)}: ${why.join(', ')}`;
    });
    const more = items.length > questionsShown ? `\n- and ${items.length - questionsShown} more` : '';
    return `**${plain(name, 40)}** (${items.length})\n${lines.join('\n')}${more}`;
  });
  return `**${count} ${count === 1 ? 'question' : 'questions'} the guide let down**\n\n${shown.join('\n\n')}`;
}
