// A quiz battle as messages: one for each question, which turns into its own correction, and one for the final ranking.
import type { Battle, BattleRound, Standing } from '../../engine/index.ts';
import { plain } from './escape.ts';
import type { Block, Reply } from './message.ts';
import { button, buttons, reply, text } from './reply.ts';

const letters = ['A', 'B', 'C', 'D', 'E', 'F'];
const letter = (index: number) => letters[index] ?? String(index + 1);
/** Names said in one line; more are counted. */
const namesShown = 8;
const scoreboardRows = 10;
const inOneLine = new Intl.ListFormat('en-GB');

/** The slot that makes all states of a question one message. */
const questionSlot = (battle: Battle, round: number) => `battle:${battle.id}:${round}`;

export function openQuestion(battle: Battle, round: BattleRound): Reply {
  const { answers, choices, item } = round;
  const call = { command: 'battle', args: { battle: battle.id } };
  const isLast = round.number === battle.rounds.length;
  return {
    ...reply(
      ...asked(battle, round, () => ''),
      buttons(
        ...choices.map(({ id }, index) =>
          button(letter(index), { ...call, args: { ...call.args, item: item.id, choice: id } }),
        ),
      ),
      text(answers.length === 0 ? '*Nobody has answered yet.*' : `*Answered: ${names(answers)}.*`),
      buttons(
        button(isLast ? 'Show the result' : 'Next question', {
          ...call,
          args: { ...call.args, action: 'next', round: round.number },
        }),
      ),
    ),
    slot: questionSlot(battle, round.number),
  };
}

export function closedQuestion(battle: Battle, round: BattleRound): Reply {
  const { answers, item } = round;
  const right = answers.filter(({ correct }) => correct);
  const reason = item.choices.find(({ id }) => id === item.correctChoiceId)?.feedback ?? '';
  const verdict =
    answers.length === 0
      ? 'Nobody answered.'
      : right.length === 0
        ? 'Nobody had it right.'
        : `Right: ${names(right)}. ${right.length > 1 ? `${plain(right[0]?.name ?? '', 40)} was first.` : ''}`;
  const scores: readonly Block[] = battle.ranking.length === 0 ? [] : [scoreboard(battle.ranking)];
  return {
    ...reply(
      ...asked(battle, round, (id) => (id === item.correctChoiceId ? ' ✓' : '')),
      text(`**${verdict.trim()}** ${reason}`),
      ...scores,
    ),
    slot: questionSlot(battle, round.number),
  };
}

export function finalRanking(battle: Battle): Reply {
  const { ranking, rounds } = battle;
  const missed = rounds.filter(
    ({ answers }) => answers.length > 0 && answers.filter(({ correct }) => correct).length * 2 < answers.length,
  );
  const blocks: readonly Block[] = [
    text(`**Quiz battle: ${battle.title}.** ${winners(ranking)}`),
    ...(ranking.length === 0 ? [] : [scoreboard(ranking)]),
    ...(missed.length === 0
      ? []
      : [
          text(
            `Most of you missed:\n${missed.map((round) => `- ${round.item.question} **${rightWords(round)}**`).join('\n')}`,
          ),
        ]),
    buttons(
      button('Another battle', { command: 'battle', args: {} }, 'primary'),
      button('All battles', { command: 'battle', args: { action: 'ranking' } }),
    ),
  ];
  return { ...reply(...blocks), slot: `battle:${battle.id}:final` };
}

const rightWords = ({ item }: BattleRound) => item.choices.find(({ id }) => id === item.correctChoiceId)?.text ?? '';

function winners(ranking: readonly Standing[]): string {
  const first = ranking.filter(({ place, points }) => place === 1 && points > 0);
  if (first.length === 0) return ranking.length === 0 ? 'Nobody took part.' : 'Nobody had one right.';
  const points = `${first[0]?.points} points`;
  return first.length === 1
    ? `**${names(first)} wins** with ${points}.`
    : `${names(first)} share the first place with ${points}.`;
}

function asked(battle: Battle, round: BattleRound, mark: (choiceId: string) => string): readonly Block[] {
  const listed = round.choices.map(({ id, text }, index) => `- **${letter(index)}**${mark(id)} ${text}`);
  return [
    text(
      `**Question ${round.number} of ${battle.rounds.length}** · ${battle.title} · ${battle.roundSeconds} s\n\n${round.item.question}`,
    ),
    text(listed.join('\n')),
  ];
}

function scoreboard(ranking: readonly Standing[]): Block {
  return {
    kind: 'table',
    caption: 'Scoreboard',
    columns: [
      { label: 'Place', align: 'right' },
      { label: 'Name', align: 'left' },
      { label: 'Points', align: 'right' },
      { label: 'Right', align: 'right' },
    ],
    rows: ranking
      .slice(0, scoreboardRows)
      .map(({ place, name, points, correct, answered }) => [
        String(place),
        name,
        String(points),
        `${correct} of ${answered}`,
      ]),
  };
}

function names(people: readonly { readonly name: string }[]): string {
  const said = people.slice(0, namesShown).map(({ name }) => plain(name, 40));
  const rest = people.length - said.length;
  return inOneLine.format(rest > 0 ? [...said, `${rest} more`] : said);
}
