// The pure core of the roadmap: from what was read, passed and built, where somebody stands, what comes next, what it opens.
import type { Chapter, Phase } from '../../knowledge/index.ts';

/** A result of one finished quiz. */
export interface QuizResult {
  readonly chapterId: string;
  readonly correct: number;
  readonly total: number;
}

/** What one person has done, by ids. */
export interface StudyFacts {
  /** `chapter#section` of what was marked as read. */
  readonly read: ReadonlySet<string>;
  /** Phases whose piece of work was marked as built. */
  readonly built: ReadonlySet<string>;
  readonly quizzes: readonly QuizResult[];
  /** Questions due for review, by chapter. */
  readonly due: ReadonlyMap<string, number>;
}

export interface Step {
  readonly chapterId: string;
  readonly title: string;
  readonly minutes: number;
  readonly sections: number;
  readonly sectionsRead: number;
  /** The first section not yet read. */
  readonly nextSection: { readonly id: string; readonly title: string } | undefined;
  /** The best finished quiz long enough to count; undefined: none yet. */
  readonly best: QuizResult | undefined;
  readonly hasQuiz: boolean;
  readonly due: number;
  /** Its quiz is passed; where it has none, all of it is read. */
  readonly done: boolean;
}

export interface PhaseStanding {
  readonly phase: Phase;
  /** From 1. */
  readonly number: number;
  readonly steps: readonly Step[];
  readonly built: boolean;
  /** All its steps are done and its piece of work is built. */
  readonly done: boolean;
  /** Titles of phases it builds on that are not done. */
  readonly waitsFor: readonly string[];
}

export interface NextStep {
  readonly do: 'read' | 'quiz' | 'build';
  readonly phase: PhaseStanding;
  /** Undefined for the piece of work of a phase. */
  readonly step: Step | undefined;
  /** Titles of chapters and phases that need nothing else once this is done. */
  readonly unlocks: readonly string[];
}

export interface Standing {
  readonly phases: readonly PhaseStanding[];
  /** Undefined: all is done. */
  readonly next: NextStep | undefined;
}

/** The guide's rule: 7 of 8. */
const passShare = 0.8;
/** A shorter quiz passes nothing: guessing gets through it too often. */
const leastQuestions = 5;

interface Way {
  readonly phases: readonly Phase[];
  readonly chapters: readonly Chapter[];
  /** Questions in the quiz of a chapter. */
  readonly questions: ReadonlyMap<string, number>;
}

export function standOn({ phases, chapters, questions }: Way, facts: StudyFacts): Standing {
  const stepOf = (chapter: Chapter): Step => {
    const asked = questions.get(chapter.id) ?? 0;
    const counting = facts.quizzes
      .filter(({ chapterId, total }) => chapterId === chapter.id && total >= Math.min(leastQuestions, asked))
      .toSorted((a, b) => b.correct / b.total - a.correct / a.total);
    const [best] = counting;
    const unread = chapter.sections.filter(({ id }) => !facts.read.has(`${chapter.id}#${id}`));
    const sectionsRead = chapter.sections.length - unread.length;
    const [nextSection] = unread;
    return {
      chapterId: chapter.id,
      title: chapter.title,
      minutes: chapter.minutes,
      sections: chapter.sections.length,
      sectionsRead,
      nextSection: nextSection && { id: nextSection.id, title: nextSection.title },
      best,
      hasQuiz: asked > 0,
      due: facts.due.get(chapter.id) ?? 0,
      done: asked > 0 ? isPassed(best) : sectionsRead === chapter.sections.length,
    };
  };
  const bare = phases.map((phase, index) => {
    const steps = phase.chapters.flatMap((id) => chapters.filter((chapter) => chapter.id === id)).map(stepOf);
    const built = facts.built.has(phase.id);
    return { phase, number: index + 1, steps, built, done: built && steps.every(({ done }) => done) };
  });
  const standing = bare.map((each) => ({
    ...each,
    waitsFor: bare
      .filter(({ phase, done }) => each.phase.needs.includes(phase.id) && !done)
      .map(({ phase }) => phase.title),
  }));
  return { phases: standing, next: findNext(standing, chapters) };
}

const isPassed = (best: QuizResult | undefined) => best !== undefined && best.correct / best.total >= passShare;

function findNext(phases: readonly PhaseStanding[], chapters: readonly Chapter[]): NextStep | undefined {
  const phase = phases.find(({ done, waitsFor }) => !done && waitsFor.length === 0);
  if (phase === undefined) return undefined;
  const isDone = (chapterId: string) =>
    phases.some(({ steps }) => steps.some((step) => step.chapterId === chapterId && step.done));
  const step = phase.steps.find(({ done }) => !done);
  const onTheWay = new Set(phases.flatMap(({ steps }) => steps.map(({ chapterId }) => chapterId)));
  const chaptersOpened = chapters.filter(({ id, prerequisites }) => {
    if (!onTheWay.has(id)) return false;
    if (step === undefined || isDone(id) || !prerequisites.includes(step.chapterId)) return false;
    // A prerequisite that is no chapter, such as "a little Python", is the learner's own matter.
    const others = prerequisites.filter(
      (other) => other !== step.chapterId && chapters.some((known) => known.id === other),
    );
    return others.every(isDone);
  });
  const isLast = phase.steps.every((other) => other.done || other === step) && (phase.built || step === undefined);
  const phasesOpened = phases.filter(
    ({ phase: later, waitsFor }) => isLast && later.needs.includes(phase.phase.id) && waitsFor.length === 1,
  );
  return {
    do: step === undefined ? 'build' : step.hasQuiz && step.sectionsRead === step.sections ? 'quiz' : 'read',
    phase,
    step,
    unlocks: [
      ...chaptersOpened.map(({ title }) => title),
      ...phasesOpened.map(({ number, phase: { title } }) => `phase ${number}, ${title}`),
    ],
  };
}
