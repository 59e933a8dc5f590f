// What people thought of answers: one verdict each, gaps by theme, and questions handed over to people.
import { expect, it, test } from 'vitest';
import { createConversations } from '../engine/store/conversations.ts';
import type { Answer } from '../engine/tutor/answer.ts';
import { createQuestions } from '../engine/tutor/questions.ts';
import { groupByTheme } from '../engine/tutor/themes.ts';
import { describeOnEveryDatabase } from './support/databases.ts';
import { createTalk, wordsOf } from './support/talk.ts';

const now = () => new Date('2026-11-21T10:00:00Z');
const answered = (abstained: boolean): Answer => ({
  kind: abstained ? 'refusal' : 'explanation',
  markdown: '',
  sentences: [],
  understood: '',
  abstained,
  confidence: abstained ? 0.1 : 0.9,
  citations: [],
  passages: [{ chapterId: 'peft', sectionId: 'lora', score: 1, text: '' }],
  nearest: [],
});

describeOnEveryDatabase('questions asked', (open) => {
  async function start() {
    const { store } = await open();
    const conversations = createConversations({ db: store.db, now });
    await conversations.openWorkspace('a', 'A');
    await conversations.openWorkspace('b', 'B');
    return createQuestions({ db: store.db, now });
  }
  const ada = { workspaceId: 'a', personId: 'ada', conversationId: 'c' };
  const bob = { ...ada, personId: 'bob' };

  it('keeps one verdict a person and answer, however often it is pressed', async () => {
    const questions = await start();
    const id = await questions.record(ada, 'what is LoRA?', answered(false));
    const verdicts = await Promise.all([1, 2, 3].map(() => questions.rate(ada, id, { helpful: false })));
    expect(verdicts.filter(Boolean)).toHaveLength(1);
    expect(await questions.rate(ada, id, { helpful: true })).toBe(false);
    expect(await questions.rate(bob, id, { helpful: false, reason: 'wrong' })).toBe(true);
    const [theme] = await questions.gaps('a');
    expect(theme?.items).toEqual([
      { question: 'what is LoRA?', abstained: false, unhelpful: 2, reasons: ['wrong'], chapterId: 'peft' },
    ]);
  });

  it('lists what was refused or marked down, by theme, and only of its own workspace', async () => {
    const questions = await start();
    await questions.record(ada, 'how do I price a GPU?', answered(true));
    await questions.record(bob, 'which GPU for games', answered(true));
    await questions.record(ada, 'what is dropout', answered(false));
    await questions.record({ ...ada, workspaceId: 'b' }, 'another GPU question', answered(true));
    const themes = await questions.gaps('a');
    expect(themes.map(({ name, items }) => [name, items.length])).toEqual([['gpu', 2]]);
    expect(await questions.gaps('b')).toHaveLength(1);
  });

  it('refuses to rate or show an answer of another workspace', async () => {
    const questions = await start();
    const id = await questions.record(ada, 'what is LoRA?', answered(false));
    await expect(questions.rate({ workspaceId: 'b', personId: 'eve' }, id, { helpful: true })).rejects.toThrow(
      /no longer kept/,
    );
    await expect(questions.get('b', id)).rejects.toThrow(/no longer kept/);
  });
});

test('questions that share a telling word are one theme, named by it, the largest first', () => {
  const items = ['price of a GPU', 'rent GPUs cheaply', 'my cat is ill', 'GPU or TPU'].map((question) => ({
    question,
  }));
  expect(groupByTheme(items).map(({ name, items: held }) => [name, held.length])).toEqual([
    ['gpu', 3],
    ['cat ill', 1],
  ]);
  expect(groupByTheme([{ question: '??' }])).toEqual([{ name: '??', items: [{ question: '??' }] }]);
});

test('an answer offers to be rated; a second press is told that the first stands; a no asks why', async () => {
  const talk = createTalk();
  expect(wordsOf(await talk.say('what is overfitting?'))).toMatch(
    /\[Simpler\] \[Deeper\][\s\S]*\[Helpful\] \[Not helpful\] \[Ask a human\]/,
  );
  const call = { command: 'feedback', args: { answer: 1, helpful: 'no' } };
  expect(wordsOf(await talk.press(call))).toMatch(/What was the matter\?\n\[Wrong\]/);
  expect(wordsOf(await talk.press(call))).toMatch(/first verdict stands/);
});

test('the level is kept for the person, and a question may ask for another', async () => {
  const talk = createTalk();
  expect(wordsOf(await talk.say('level expert'))).toMatch(/go \*\*expert\*\*/);
  expect(wordsOf(await talk.say('what is overfitting?'))).toMatch(/\[Simpler\](?! \[Deeper\])/);
  expect(wordsOf(await talk.say('what is overfitting? level:eli5'))).not.toMatch(/\[Simpler\]/);
  expect(talk.engine.asked.at(-1)?.question).toBe('what is overfitting?');
  expect(wordsOf(await talk.press({ command: 'level', args: {} }, { id: 'bob', name: 'Bob' }))).toMatch(
    /\*\*student\*\*/,
  );
});

test('a question is handed over with its words, and nobody is mentioned by them', async () => {
  const talk = createTalk();
  await talk.say('@everyone <@123> how is the weather?');
  const hand = { command: 'human', args: { answer: 1 } };
  expect(wordsOf(await talk.press(hand))).toMatch(/Nobody has been named/);
  await talk.say('human here');
  expect(wordsOf(await talk.press(hand))).toMatch(/Handed over/);
  const posted = wordsOf([talk.delivered.at(-2)?.reply ?? { audience: 'everyone', blocks: [] }]);
  expect(posted).toMatch(/A question for a person/);
  expect(posted).not.toMatch(/@everyone|<@123>/);
});

test('gaps are for maintainers: whoever sits at the computer, and whom they name', async () => {
  const place = { front: 'discord', workspaceId: 'guild', conversationId: 'c' } as const;
  const talk = createTalk({ place });
  expect(wordsOf(await talk.say('gaps'))).toMatch(/Only maintainers see the gaps/);
  expect(wordsOf(await talk.say('gaps allow ada'))).toMatch(/Only maintainers/);
  expect(wordsOf(await talk.say('human here'))).toMatch(/Only maintainers/);
  await talk.engine.kept.put('guild', 'maintainer', 'ada', true);
  expect(wordsOf(await talk.say('gaps'))).toMatch(/No gaps/);
  expect(wordsOf(await createTalk().say('gaps'))).toMatch(/No gaps/);
});
