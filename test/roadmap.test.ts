// The roadmap: what counts as done, what comes next and what it opens, kept on every database, shown in a chat.
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { roadmapChart } from '../engine/charts/roadmap.ts';
import { createRandom } from '../engine/random.ts';
import { workspaces } from '../engine/store/schema.ts';
import { createQuizzes } from '../engine/tutor/quizzes.ts';
import { createReviews } from '../engine/tutor/reviews.ts';
import { createRoadmap } from '../engine/tutor/roadmap.ts';
import { type StudyFacts, standOn } from '../engine/tutor/roadmap-standing.ts';
import { GuideError, loadGuide } from '../knowledge/index.ts';
import { describeOnEveryDatabase, type TestDatabase } from './support/databases.ts';

import { smallChapter, smallQuiz, writeGuide } from './support/guide-folder.ts';
import { buttonOf, createTalk, wordsOf } from './support/talk.ts';

const guide = await loadGuide();
const phases = guide.phases ?? [];
const questions = new Map(
  guide.chapters.map(({ id }) => [id, guide.quizItems.filter((item) => item.chapterId === id).length]),
);
const nothing: StudyFacts = { read: new Set(), built: new Set(), quizzes: [], due: new Map() };
const stand = (facts: Partial<StudyFacts> = {}) =>
  standOn({ phases, chapters: guide.chapters, questions }, { ...nothing, ...facts });
const passed = (chapterId: string, correct = 7, total = 8) => ({ chapterId, correct, total });

describe('where somebody stands', () => {
  it('begins with the first chapter of the first phase, which opens what needs it alone', () => {
    const { next, phases: all } = stand();
    expect(next).toMatchObject({ do: 'read', step: { chapterId: 'what-is-machine-learning' } });
    expect(next?.unlocks).toEqual(['How ML Actually Works', 'Types of Machine Learning']);
    expect(all.map(({ waitsFor }) => waitsFor)).toEqual([
      [],
      ['Foundations'],
      ['Core methods'],
      ['Practice'],
      ['Fine-tuning'],
    ]);
  });

  it.each([
    ['7 of 8', passed('how-ml-works'), true],
    ['6 of 8', passed('how-ml-works', 6), false],
    ['1 of 1, too short to count', passed('how-ml-works', 1, 1), false],
    ['4 of 5', passed('how-ml-works', 4, 5), true],
  ])('%s: a quiz is passed with four fifths of at least five questions', (_said, result, isDone) => {
    const steps = stand({ quizzes: [result] }).phases.flatMap((phase) => phase.steps);
    expect(steps.find(({ chapterId }) => chapterId === 'how-ml-works')?.done).toBe(isDone);
  });

  it('is done with a phase when its quizzes are passed and its work is built, not by reading', () => {
    const chapters = phases[0]?.chapters ?? [];
    const read = new Set(
      guide.chapters
        .filter(({ id }) => chapters.includes(id))
        .flatMap(({ id, sections }) => sections.map((one) => `${id}#${one.id}`)),
    );
    expect(stand({ read }).next).toMatchObject({ do: 'quiz', step: { chapterId: 'what-is-machine-learning' } });
    const quizzes = chapters.map((id) => passed(id));
    const built = stand({ quizzes }).next;
    expect(built).toMatchObject({ do: 'build', step: undefined, unlocks: ['phase 2, Core methods'] });
    const after = stand({ quizzes, built: new Set(['foundations']) });
    expect(after.phases[0]?.done).toBe(true);
    expect(after.next?.phase.phase.id).toBe('core');
  });

  it('always leads to the end: doing what comes next, over and over, finishes everything once', () => {
    const quizzes: ReturnType<typeof passed>[] = [];
    const built = new Set<string>();
    const done: string[] = [];
    for (let next = stand().next; next !== undefined; next = stand({ quizzes, built }).next) {
      if (next.step === undefined) built.add(next.phase.phase.id);
      else quizzes.push(passed(next.step.chapterId));
      done.push(next.step?.chapterId ?? next.phase.phase.id);
      expect(done.length).toBeLessThan(60);
    }
    const wanted = phases.flatMap(({ id, chapters }) => [...chapters, id]);
    expect(done.toSorted()).toEqual(wanted.toSorted());
  });

  it('never loses anything by doing more', () => {
    const ids = phases.flatMap(({ chapters }) => chapters);
    const score = (list: readonly string[]) =>
      stand({ quizzes: list.map((id) => passed(id)) })
        .phases.flatMap(({ steps }) => steps)
        .filter(({ done }) => done).length;
    fc.assert(
      fc.property(fc.subarray(ids), fc.constantFrom(...ids), (some, more) => {
        expect(score([...some, more])).toBeGreaterThanOrEqual(score(some));
      }),
      { numRuns: 30 },
    );
  });

  it('is drawn, with words for those who cannot see it', () => {
    const { svg, alt } = roadmapChart(stand({ quizzes: [passed('how-ml-works')] }));
    expect(alt).toContain(
      'You are in phase 1. phase 1, Foundations: 1 of 7 chapters done; phase 2, Core methods: 0 of 4',
    );
    expect(svg.match(/<circle/g)?.length).toBeGreaterThan(phases.flatMap(({ chapters }) => chapters).length);
  });
});

describe('phases.yaml', () => {
  const roadmapChapter = smallChapter
    .replace('id: fitting', 'id: roadmap')
    .replaceAll('{#overfitting}', '{#first}')
    .replace('See [dropout](guide:fitting#dropout)', 'Read [it](guide:fitting#overview)');
  const phase = (id: string, more = '') =>
    `- { id: ${id}, title: First, hours: 1, needs: [], chapters: [fitting], build: a thing, afterwards: do it${more} }\n`;
  const load = (yaml: string) =>
    loadGuide(
      writeGuide({
        'fitting.md': smallChapter,
        'roadmap.md': roadmapChapter,
        'quizzes/fitting.yaml': smallQuiz,
        'phases.yaml': yaml,
      }),
    );

  it('is read when each phase has its section, which names its chapters', async () => {
    expect((await load(phase('first'))).phases).toMatchObject([{ id: 'first', chapters: ['fitting'] }]);
  });

  it.each([
    [phase('second'), 'has no section of this id'],
    [phase('dropout'), 'does not name the chapter "fitting"'],
    [phase('first') + phase('dropout'), 'stands in 2 phases'],
    [phase('first').replace('needs: []', 'needs: [dropout]'), 'does not come before it'],
    [phase('first').replace('[fitting]', '[fitting, gone]'), 'there is no chapter "gone"'],
  ])('is refused: %2$s', async (yaml, message) => {
    const problem = await load(yaml).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(GuideError);
    expect(String(problem)).toContain(message);
  });
});

const ada = { workspaceId: 'w', personId: 'ada' };

describeOnEveryDatabase('the roadmap', (open: () => Promise<TestDatabase>) => {
  test('keeps marks and passed quizzes of one person in one workspace', async () => {
    const { db } = (await open()).store;
    await db
      .insert(workspaces)
      .values(['w', 'other'].map((id) => ({ id, name: id })))
      .onConflictDoNothing();
    const now = () => new Date('2026-03-01T09:00:00Z');
    const reviews = createReviews({ db, guide, now });
    const quizzes = createQuizzes({ db, guide, random: createRandom(3), now });
    const pictures = { put: async () => ({ id: 'x', width: 1, height: 1 }) };
    const roadmap = createRoadmap({ db, guide, reviews, pictures, now });
    const first = async (member = ada) => (await roadmap.standing(member)).phases[0]?.steps[0];

    await roadmap.markRead(ada, 'what-is-machine-learning#overview', true);
    await roadmap.markRead(ada, 'what-is-machine-learning#overview', true);
    expect(await first()).toMatchObject({ sectionsRead: 1, done: false });
    expect(await first({ ...ada, workspaceId: 'other' })).toMatchObject({ sectionsRead: 0 });
    expect(await first({ ...ada, personId: 'bob' })).toMatchObject({ sectionsRead: 0 });

    expect(await roadmap.markRead(ada, 'What is machine learning?', true)).toMatchObject({
      what: 'what-is-machine-learning',
    });
    const whole = await first();
    expect(whole?.sectionsRead).toBe(whole?.sections);
    await roadmap.markRead(ada, 'what-is-machine-learning', false);
    expect(await first()).toMatchObject({ sectionsRead: 0 });
    await expect(roadmap.markRead(ada, 'what-is-machine-learning#nowhere', true)).rejects.toThrow(
      'no chapter or section',
    );
    await expect(roadmap.markBuilt(ada, '9', true)).rejects.toThrow('no phase "9"');
    expect((await roadmap.markBuilt(ada, 'phase 1', true)).id).toBe('foundations');

    let asked = await quizzes.start({ ...ada, conversationId: 'c', chapterId: 'what-is-machine-learning', length: 5 });
    for (let n = 1; ; n++) {
      const { sessionId, item } = asked;
      const wrong = item.choices.find(({ id }) => id !== item.correctChoiceId)?.id ?? '';
      const choiceId = n === 1 ? wrong : item.correctChoiceId;
      const verdict = await quizzes.answer({ ...ada, sessionId, itemId: item.id, choiceId });
      // Until the last question is answered, nothing is passed.
      expect((await first())?.done).toBe(verdict.next === undefined);
      if (verdict.next === undefined) break;
      asked = verdict.next;
    }
    const standing = await roadmap.standing(ada);
    expect(standing.phases[0]).toMatchObject({
      built: true,
      steps: [{ best: { correct: 4, total: 5 }, done: true }, {}, {}, {}, {}, {}, {}],
    });
    expect(standing.next?.step?.chapterId).toBe('how-ml-works');
  });
});

describe('the roadmap, said in a chat', () => {
  it('leads from section to section, to the quiz, to the piece of work, to the end', async () => {
    const talk = createTalk();
    const begun = await talk.say('roadmap');
    expect(wordsOf(begun)).toMatch(
      /\*\*Next:\*\* read \*Overfitting[\s\S]*Your roadmap[\s\S]*1 Foundations \| 10 \| 0 of 1/,
    );
    const section = await talk.press(buttonOf(begun, 'Read: Overfitting and underfitting'));
    const marked = await talk.press(buttonOf(section, 'Mark as read'));
    expect(wordsOf(marked)).toContain('1 of 2 sections');
    expect(wordsOf(await talk.press(buttonOf(marked, 'Take it back')))).toContain('0 of 2 sections');
    const all = await talk.press(buttonOf(begun, 'I have read this chapter'));
    let quiz = await talk.press(buttonOf(all, 'Quiz: Overfitting and underfitting'));
    for (let n = 0; n < 2; n++) quiz = (await talk.press(buttonOf(quiz, 'A'))).slice(1);
    const work = await talk.say('roadmap');
    expect(wordsOf(work)).toContain('the piece of work of phase 1');
    const built = await talk.press(buttonOf(work, 'I have built it'));
    expect(wordsOf(built)).toMatch(/\*\*Done\.\*\* You can now read any result critically[\s\S]*2 of 2 ✓/);
    expect(wordsOf(await talk.say('path'))).toContain('The whole roadmap is done');
  });

  it('shows one phase, by number or name, and says what is no phase', async () => {
    const talk = createTalk();
    expect(wordsOf(await talk.say('roadmap 1'))).toContain('Phase 1: Foundations');
    expect(wordsOf(await talk.say('roadmap built foundations'))).toContain('classifier in this chat ✓');
    expect(wordsOf(await talk.say('roadmap 7'))).toContain('no phase 7');
  });

  it.each(['roadmap to become an ml engineer', 'roadmap for nlp?', 'path of gradient descent'])(
    '%j is a question',
    async (said) => {
      const talk = createTalk();
      await talk.say(said);
      expect(talk.engine.asked).toHaveLength(1);
    },
  );
});
