// An engine in memory, for tests of what stands in front of it: fronts, commands, the conversation.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createDemos } from '../../engine/demos/demos.ts';
import {
  type Answer,
  type ClassificationMetrics,
  type Dataset,
  type Engine,
  type QuizQuestion,
  type Run,
  runSpecSchema,
  type StoredMessage,
  UserError,
} from '../../engine/index.ts';
import type { Guide, QuizItem } from '../../knowledge/index.ts';
import { createFakeRoadmap } from './fake-roadmap.ts';

const noGuide: Guide = {
  chapters: [],
  passages: [],
  quizItems: [],
  chapter: () => undefined,
  section: () => undefined,
};

const nothingAdded = async () => {
  throw new UserError('There is no document here.', 'Nothing has been added yet: learn add');
};

/** A group that has added no documents. */
export const noMaterial: Engine['material'] = {
  add: nothingAdded,
  list: async () => [],
  refresh: nothingAdded,
  remove: nothingAdded,
  passage: nothingAdded,
  search: async () => undefined,
};

/** A 1 × 1 PNG. */
export const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

export interface FakeEngine extends Engine {
  /** Questions the tutor was asked, with the turns it was given. */
  readonly asked: { question: string; turns: readonly { role: string; text: string }[] }[];
  readonly messages: StoredMessage[];
  /** Changes a run's row and tells the watchers. */
  change(runId: string, change: Partial<Run>): Run;
  /** The next tutor question throws this. */
  breakNext(error: Error): void;
}

export const metrics: ClassificationMetrics = {
  kind: 'classification',
  loss: 0.41,
  accuracy: 0.875,
  majorityAccuracy: 0.5,
  macroPrecision: 0.88,
  macroRecall: 0.87,
  macroF1: 0.87,
  perClass: [
    { label: 'bad', precision: 0.9, recall: 0.85, f1: 0.87, support: 4 },
    { label: '<b>good</b> @everyone', precision: 0.85, recall: 0.9, f1: 0.88, support: 4 },
  ],
  confusion: [
    [3, 1],
    [0, 4],
  ],
  examples: 8,
};

const quizItems: readonly QuizItem[] = [1, 2].map((n) => ({
  id: `overfitting-underfitting/q${n}`,
  chapterId: 'overfitting-underfitting',
  sectionId: 'definition',
  question: `Question ${n}: which gap shows overfitting?`,
  choices: [
    { id: 'gap', text: 'Training far better than held-out', feedback: 'That gap is the definition.' },
    { id: 'both', text: 'Both bad', feedback: 'Both bad is underfitting.' },
    { id: 'none', text: 'No gap', feedback: 'No gap means it generalises.' },
  ],
  correctChoiceId: 'gap',
  difficulty: 1,
}));

const chapter = { chapterId: 'overfitting-underfitting', title: 'Overfitting and underfitting', items: 2 };

const noBattle = () => Promise.reject(new Error('no battle is held in memory'));

/** Where no battle is held. */
export const noBattles = { show: noBattle, refresh: () => {}, next: noBattle };

export function createFakeEngine(): FakeEngine {
  const keys = new Set<string>();
  const workspaces = new Set(['local']);
  const keptValues = new Map<string, unknown>();
  const messages: StoredMessage[] = [];
  const places = new Map<number, string>();
  const asked: FakeEngine['asked'] = [];
  const pictures = new Map<string, Uint8Array>();
  const runs: Run[] = [];
  const watchers = new Set<(run: Run) => void>();
  const kept: Dataset[] = [];
  const sessions = new Map<
    string,
    { personId: string; items: readonly QuizItem[]; review: boolean; answers: Map<string, string> }
  >();
  /** Each person's last answers; here a wrong one is due at once, a right one in three days. */
  const lastAnswers = new Map<string, Map<string, boolean>>();
  let broken: Error | undefined;

  const placeOf = (key: { workspaceId: string; front: string; conversationId: string }) =>
    JSON.stringify([key.workspaceId, key.front, key.conversationId]);

  function answer(markdown: string, covered = true): Answer {
    return {
      kind: covered ? 'explanation' : 'refusal',
      markdown,
      sentences: covered ? [{ text: markdown, citation: 0 }] : [],
      understood: markdown,
      abstained: !covered,
      confidence: covered ? 0.9 : 0.1,
      citations: covered
        ? [
            {
              chapterId: chapter.chapterId,
              sectionId: 'definition',
              title: 'Overfitting and underfitting › Definition',
              quote: 'A model overfits when it fits noise.',
            },
          ]
        : [],
      passages: [],
      nearest: covered ? [] : [{ chapterId: chapter.chapterId, title: chapter.title }],
    };
  }

  function question(sessionId: string, index: number): QuizQuestion | undefined {
    const items = sessions.get(sessionId)?.items ?? [];
    const item = items[index];
    return item && { sessionId, number: index + 1, total: items.length, item, choices: item.choices };
  }

  function openSession(personId: string, items: readonly QuizItem[], review: boolean): QuizQuestion | undefined {
    const sessionId = `session-${sessions.size + 1}`;
    sessions.set(sessionId, { personId, items, review, answers: new Map() });
    return question(sessionId, 0);
  }

  const answersOf = (personId: string) => lastAnswers.get(personId) ?? new Map<string, boolean>();
  const dueFor = (personId: string) => quizItems.filter((item) => answersOf(personId).get(item.id) === false);

  function outlookOf(personId: string) {
    const right = [...answersOf(personId).values()].some((correct) => correct);
    return { due: dueFor(personId).length, nextAt: right ? new Date(Date.now() + 3 * 86_400_000) : undefined };
  }

  function change(runId: string, changed: Partial<Run>): Run {
    const index = runs.findIndex((run) => run.id === runId);
    const before = runs[index];
    if (before === undefined) throw new Error(`no run ${runId}`);
    const after = { ...before, ...changed };
    runs[index] = after;
    for (const watcher of watchers) watcher(after);
    return after;
  }

  async function get(workspaceId: string, nameOrId: string): Promise<Run> {
    const found = runs.find((run) => run.workspaceId === workspaceId && (run.name === nameOrId || run.id === nameOrId));
    if (found === undefined) {
      throw new UserError(
        `There is no run ${nameOrId}.`,
        `Runs: ${runs.map((run) => run.name).join(', ') || 'none yet'}.`,
      );
    }
    return found;
  }

  async function putPicture(png: Uint8Array) {
    const id = createHash('sha256').update(png).digest('hex');
    pictures.set(id, png);
    return { id, width: 1, height: 1 };
  }

  return {
    inbox: {
      alone: false,
      keep: async ({ workspaceId, key }) => {
        const name = `kept ${workspaceId} ${key}`;
        const fresh = !keys.has(name);
        keys.add(name);
        return fresh;
      },
      leave: async () => {},
      done: async () => {},
      takeOver: async () => [],
    },
    battles: {
      start: noBattle,
      answer: noBattle,
      get: noBattle,
      close: noBattle,
      finish: noBattle,
      unfinished: async () => [],
      members: async () => [],
    },
    asked,
    messages,
    change,
    breakNext: (error) => {
      broken = error;
    },
    conversations: {
      openWorkspace: async (workspaceId) => {
        workspaces.add(workspaceId);
      },
      workspaces: async () => [...workspaces],
      claim: async (workspaceId, key) => {
        const whole = JSON.stringify([workspaceId, key]);
        const fresh = !keys.has(whole);
        keys.add(whole);
        return fresh;
      },
      say: async (key, { personId, slot, visibleTo, content }) => {
        const index = messages.findIndex(
          (message) => slot !== undefined && message.slot === slot && places.get(message.id) === placeOf(key),
        );
        const before = messages[index];
        const now = new Date();
        const message: StoredMessage = {
          id: before?.id ?? messages.length + 1,
          personId,
          slot,
          externalId: before?.externalId,
          visibleTo,
          content: JSON.parse(JSON.stringify(content)),
          createdAt: before?.createdAt ?? now,
          updatedAt: now,
        };
        places.set(message.id, placeOf(key));
        if (before === undefined) messages.push(message);
        else messages[index] = message;
        return message;
      },
      setExternalId: async (_key, messageId, externalId) => {
        const index = messages.findIndex((message) => message.id === messageId);
        const before = messages[index];
        if (before !== undefined) messages[index] = { ...before, externalId };
      },
      history: async (key, personId, limit) =>
        messages
          .filter((message) => places.get(message.id) === placeOf(key))
          .filter((message) => message.visibleTo === undefined || message.visibleTo === personId)
          .slice(-limit),
    },
    kept: {
      put: async (workspaceId, kind, name, value) => {
        keptValues.set(JSON.stringify([workspaceId, kind, name]), structuredClone(value));
      },
      putOnce: async (workspaceId, kind, name, value) => {
        const key = JSON.stringify([workspaceId, kind, name]);
        if (!keptValues.has(key)) keptValues.set(key, structuredClone(value));
        return keptValues.get(key);
      },
      get: async (workspaceId, kind, name) => keptValues.get(JSON.stringify([workspaceId, kind, name])),
      list: async (workspaceId, kind) =>
        [...keptValues].flatMap(([key, value]) => {
          const [at, of, name] = JSON.parse(key);
          return at === workspaceId && of === kind ? [{ name, value }] : [];
        }),
      remove: async (workspaceId, kind, name) => {
        keptValues.delete(JSON.stringify([workspaceId, kind, name]));
      },
    },
    tutor: {
      ask: async (text, turns) => {
        asked.push({ question: text, turns });
        if (broken !== undefined) {
          const error = broken;
          broken = undefined;
          throw error;
        }
        return answer('The guide says: **watch the gap**.', !text.includes('weather'));
      },
      explain: async (concept) => answer(`The section on ${concept.length} letters.`),
    },
    questions: createFakeQuestions(),
    quizzes: {
      chapters: [chapter],
      items: quizItems,
      start: async ({ personId, chapterId }) => {
        if (chapterId !== chapter.chapterId) {
          throw new UserError(`There is no chapter ${chapterId}.`, `The nearest is ${chapter.chapterId}.`);
        }
        const first = openSession(personId, quizItems, false);
        if (first === undefined) throw new Error('no items');
        return first;
      },
      startReview: async ({ personId, length }) => {
        const due = dueFor(personId).slice(0, length);
        return due.length === 0 ? undefined : openSession(personId, due, true);
      },
      answer: async ({ personId, sessionId, itemId, choiceId }) => {
        const session = sessions.get(sessionId);
        const items = session?.items ?? [];
        const index = items.findIndex((item) => item.id === itemId);
        const item = items[index];
        const asking = question(sessionId, index);
        if (session === undefined || item === undefined || asking === undefined) {
          throw new UserError('There is no such quiz any more.', 'Start one: quiz');
        }
        if (session.personId !== personId)
          throw new UserError('This quiz belongs to someone else.', 'Start yours: quiz');
        const counted = !session.answers.has(itemId);
        if (counted) session.answers.set(itemId, choiceId);
        const chosenId = session.answers.get(itemId) ?? choiceId;
        if (counted)
          lastAnswers.set(personId, new Map(answersOf(personId)).set(itemId, chosenId === item.correctChoiceId));
        const right = (id: string) => quizItems.find((other) => other.id === id)?.correctChoiceId;
        const correct = [...session.answers].filter(([id, choice]) => right(id) === choice).length;
        return {
          counted,
          correct: chosenId === item.correctChoiceId,
          question: asking,
          chosenId,
          correction:
            chosenId === item.correctChoiceId
              ? undefined
              : item.choices.find((choice) => choice.id === chosenId)?.feedback,
          reason: 'That gap is the definition.',
          next: question(sessionId, session.answers.size),
          summary:
            session.answers.size < items.length
              ? undefined
              : {
                  sessionId,
                  chapterId: session.review ? undefined : chapter.chapterId,
                  chapterTitle: session.review ? 'Review' : chapter.title,
                  correct,
                  total: items.length,
                  reread: [
                    {
                      chapterId: chapter.chapterId,
                      sectionId: 'definition',
                      title: 'Overfitting and underfitting › Definition',
                    },
                  ],
                },
        };
      },
      current: async ({ sessionId }) => {
        const open = question(sessionId, sessions.get(sessionId)?.answers.size ?? 0);
        if (open === undefined) throw new UserError('This quiz is finished.', 'Start another: quiz');
        return open;
      },
      score: async () => ({ correct: 0, answered: 0 }),
    },
    reviews: {
      outlook: async ({ personId }) => outlookOf(personId),
      progress: async ({ personId }) => {
        const answers = answersOf(personId);
        const measured = {
          chapterId: chapter.chapterId,
          title: chapter.title,
          mastery: [...answers.values()].filter((correct) => correct).length / quizItems.length,
          answered: answers.size,
          questions: quizItems.length,
        };
        const concepts = [{ ...measured, sectionId: 'definition', title: 'Definition' }];
        const chapters = answers.size === 0 ? [] : [{ ...measured, due: dueFor(personId).length, concepts }];
        return { ...outlookOf(personId), chapters, chaptersInAll: 1, streakDays: answers.size === 0 ? 0 : 1 };
      },
      duePeople: async () =>
        [...lastAnswers.keys()].flatMap((personId) => {
          const due = dueFor(personId).length;
          return due === 0 ? [] : [{ personId, due }];
        }),
    },
    roadmap: createFakeRoadmap(
      (personId) => {
        const answers = answersOf(personId);
        const correct = [...answers.values()].filter((right) => right).length;
        return answers.size < quizItems.length ? [] : [{ chapterId: chapter.chapterId, correct, total: answers.size }];
      },
      () => putPicture(pixel),
    ),
    demos: createDemos({ guide: noGuide, pictures: { put: putPicture, get: async (id) => pictures.get(id) } }),
    material: noMaterial,
    datasets: {
      samples: [{ id: 'sample:moods', title: 'Moods', description: '600 short sentences, two moods' }],
      add: async ({ path, name, textColumn, labelColumn }) => {
        const lines = (await readFile(path, 'utf8')).trim().split('\n');
        if (lines.length < 3)
          throw new UserError(`${name} has ${lines.length - 1} rows.`, 'Training needs at least 20.');
        const id = createHash('sha256').update(lines.join('\n')).digest('hex');
        const table = fakeDataset(id, name, path, lines.length - 1, textColumn ?? 'text', labelColumn ?? 'label');
        const tasks = tasksByEnding[name] ?? tasksByEnding[name.replace(/^.*\./, '')];
        const dataset = tasks === undefined ? table : { ...table, report: { ...table.report, tasks } };
        kept.push(dataset);
        return dataset;
      },
      get: async (_workspaceId, id) => {
        if (id === 'sample:moods') return fakeDataset(id, 'Moods', 'samples/moods.csv', 600, 'text', 'label');
        const found = kept.find((dataset) => dataset.id === id);
        if (found === undefined) throw new UserError(`There is no dataset ${id}.`, 'Upload one: finetune');
        return found;
      },
      list: async () => kept.map(({ id, name, report }) => ({ id, name, rows: report.rows, task: report.tasks[0] })),
    },
    runs: {
      submit: async ({ workspaceId, personId, front, conversationId, datasetName, spec }) => {
        const run: Run = {
          id: `id-${runs.length + 1}`,
          workspaceId,
          name: `run-${runs.length + 1}`,
          datasetName,
          spec: runSpecSchema.parse({ ...spec, out: 'out' }),
          status: 'queued',
          start: undefined,
          progress: undefined,
          metrics: undefined,
          result: undefined,
          error: undefined,
          hint: undefined,
          front,
          conversationId,
          startedBy: personId,
          createdAt: new Date(),
          finishedAt: undefined,
        };
        runs.push(run);
        return run;
      },
      get,
      list: async (workspaceId) => runs.filter((run) => run.workspaceId === workspaceId).toReversed(),
      countByStatus: async () => {
        const counts = { queued: 0, running: 0, stopping: 0, stopped: 0, interrupted: 0, failed: 0, done: 0 };
        for (const { status } of runs) counts[status] += 1;
        return counts;
      },
      stop: async (workspaceId, name) => change((await get(workspaceId, name)).id, { status: 'stopping' }),
      resume: async (workspaceId, name) => change((await get(workspaceId, name)).id, { status: 'queued' }),
      events: async () => [],
      watch: (watcher) => {
        watchers.add(watcher);
        return () => watchers.delete(watcher);
      },
      advice: async (_workspaceId, runId) =>
        runs.find((run) => run.id === runId)?.finishedAt === undefined
          ? undefined
          : {
              fit: 'overfits',
              words: 'Your training loss keeps falling while the held-out loss rises since step 4: overfitting.',
              chapterId: chapter.chapterId,
              sectionId: 'definition',
              source: { ...chapter, sectionId: 'definition', quote: 'A model overfits when it fits noise.' },
            },
      exported: async () => undefined,
      exportModel: async (workspaceId, name) => {
        const run = await get(workspaceId, name);
        const parts = [
          { name: 'model.onnx', bytes: 2_000_000, largestDifference: 1e-6, relativeDifference: 2e-6 },
          { name: 'model_quantized.onnx', bytes: 500_000, largestDifference: 0.02, relativeDifference: 0.01 },
        ];
        return { path: 'runs/run-1.zip', name: `${run.name}.transformers-js.zip`, bytes: 2_600_000, parts };
      },
      predict: async (workspaceId, name, texts) => {
        const run = await get(workspaceId, name);
        if (run.status !== 'done') throw new UserError(`${run.name} has no model yet.`, 'Wait until it is done.');
        return texts.map(() => ({ kind: 'classification', label: 'good', scores: { good: 0.75, bad: 0.25 } }));
      },
      lossPicture: async (_workspaceId, runId) => {
        const run = runs.find((candidate) => candidate.id === runId);
        return run?.progress && { ...(await putPicture(pixel)), alt: 'Loss over steps, falling' };
      },
      confusionPicture: async (_workspaceId, runId) => {
        const run = runs.find((candidate) => candidate.id === runId);
        return run?.metrics && { ...(await putPicture(pixel)), alt: 'Confusion matrix: 3 of 4 bad, 4 of 4 good' };
      },
    },
    pictures: { put: putPicture, get: async (id) => pictures.get(id) },
    illustrations: { diagramOf: async () => undefined, formula: async () => undefined },
    close: async () => {},
  };
}

/** What files are for, told by their names or endings. */
const tasksByEnding: { readonly [ending: string]: Dataset['report']['tasks'] } = {
  zip: ['image-classification'],
  'captions.zip': ['image-text'],
  jsonl: ['causal-lm'],
  conll: ['token-classification'],
  tsv: ['text-classification', 'regression'],
};

function fakeDataset(id: string, name: string, path: string, rows: number, text: string, label: string): Dataset {
  return {
    id,
    name,
    path,
    report: {
      tasks: ['text-classification'],
      format: 'csv',
      encoding: 'utf-8',
      columns: [text, label],
      textColumn: text,
      labelColumn: label,
      rows,
      labels: [
        { label: 'good', count: rows / 2 },
        { label: 'bad', count: rows / 2 },
      ],
      duplicates: 1,
      skipped: [{ line: 7, reason: 'no label' }],
      skippedCount: 1,
      textLength: { median: 20, p95: 60, max: 90 },
      warnings: ['One text is there twice: <img src=x onerror=alert(1)> @everyone'],
      samples: [{ text: 'fine', label: 'good' }],
    },
  };
}

function createFakeQuestions(): Engine['questions'] {
  const kept: { workspaceId: string; question: string; abstained: boolean; verdicts: Map<string, boolean> }[] = [];
  const find = (workspaceId: string, id: number) => {
    const found = kept[id - 1];
    if (found?.workspaceId !== workspaceId)
      throw new UserError('That answer is no longer kept.', 'Ask the question again.');
    return found;
  };
  return {
    record: async ({ workspaceId }, question, { abstained }) =>
      kept.push({ workspaceId, question, abstained, verdicts: new Map() }),
    rate: async ({ workspaceId, personId }, id, { helpful }) => {
      const { verdicts } = find(workspaceId, id);
      const first = !verdicts.has(personId);
      if (first) verdicts.set(personId, helpful);
      return first;
    },
    get: async (workspaceId, id) => {
      const { question, abstained } = find(workspaceId, id);
      return { id, question, abstained, askedAt: new Date() };
    },
    gaps: async () => [],
  };
}
