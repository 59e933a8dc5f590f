// How an answer is shown: its words, one source a section, and what to do next.
import { expect, test } from 'vitest';
import { showAnswer } from '../bot/chat/answer.ts';

test('two quotes of one section are one source, in the order cited', () => {
  const cite = (sectionId: string, quote: string) => ({
    chapterId: 'peft',
    sectionId,
    title: `PEFT › ${sectionId}`,
    quote,
  });
  const answer = {
    kind: 'explanation',
    sentences: [],
    understood: 'Question?',
    markdown: 'Words.',
    abstained: false,
    confidence: 0.9,
    citations: [cite('lora', 'First.'), cite('qlora', 'Other.'), cite('lora', 'Second.')],
    passages: [],
    nearest: [],
  } as const;
  const offers = { quizzes: { chapters: [] }, demos: { offeredFor: () => undefined } };
  expect(showAnswer(answer, offers, { level: 'student', answerId: undefined })[1]).toEqual({
    kind: 'sources',
    sources: [cite('lora', 'First. … Second.'), cite('qlora', 'Other.')],
  });
});
