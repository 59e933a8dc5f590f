// The pure core of a quiz battle: what each answer is worth, and who stands where.

export interface BattleAnswer {
  readonly personId: string;
  readonly name: string;
  readonly choiceId: string;
  readonly correct: boolean;
}

export interface Standing {
  /** From 1; people with the same points share a place. */
  readonly place: number;
  readonly personId: string;
  readonly name: string;
  readonly points: number;
  readonly correct: number;
  readonly answered: number;
}

/** A right answer, and what the first right one of a round has on top. */
export const pointsFor = { correct: 2, first: 1 } as const;

/** @param rounds the answers of each closed round, in the order in which they were given; one for each person. */
export function rank(rounds: readonly (readonly BattleAnswer[])[]): readonly Standing[] {
  const people = new Map<string, Omit<Standing, 'place'>>();
  for (const answers of rounds) {
    const first = answers.find(({ correct }) => correct);
    for (const answer of answers) {
      const { personId, name, correct } = answer;
      const before = people.get(personId) ?? { personId, name, points: 0, correct: 0, answered: 0 };
      people.set(personId, {
        ...before,
        name,
        points: before.points + (correct ? pointsFor.correct : 0) + (answer === first ? pointsFor.first : 0),
        correct: before.correct + Number(correct),
        answered: before.answered + 1,
      });
    }
  }
  const sorted = [...people.values()].sort((a, b) => b.points - a.points || a.name.localeCompare(b.name));
  return sorted.map((one) => ({ ...one, place: 1 + sorted.filter(({ points }) => points > one.points).length }));
}
