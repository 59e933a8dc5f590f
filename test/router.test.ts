import { describe, expect, it } from 'vitest';
import { routeText } from '../bot/chat/router.ts';
import { commands } from '../bot/commands/index.ts';

const route = (text: string) => routeText(text, commands);
const callOf = (text: string) => {
  const found = route(text);
  return found.kind === 'call' ? [found.call.command, found.call.args] : ['unknown', found.suggestions];
};

describe('what a person types', () => {
  it.each([
    ['help', 'help', {}],
    ['HELP', 'help', {}],
    ['/help quiz', 'help', { topic: 'quiz' }],
    ['hello!', 'help', {}],
    ['   ', 'help', {}],
    ['@finetutor, quiz', 'quiz', {}],
    ['quiz overfitting', 'quiz', { chapter: 'overfitting' }],
    ['quiz me on bias variance 5', 'quiz', { chapter: 'bias variance', length: '5' }],
    ['explain LoRA', 'explain', { concept: 'LoRA' }],
    ['runs', 'runs', {}],
    ['runs stop run-3', 'runs', { action: 'stop', run: 'run-3' }],
    ['runs run-3', 'runs', { action: 'show', run: 'run-3' }],
    ['try run-3 so good', 'try', { run: 'run-3', text: 'so good' }],
    ['fine-tune', 'finetune', {}],
    [
      'finetune a.csv --rank 4 --learning-rate=0.01',
      'finetune',
      { data: 'a.csv', loraRank: '4', learningRate: '0.01' },
    ],
    ['finetune "my file.csv" --text-column body', 'finetune', { data: 'my file.csv', textColumn: 'body' }],
    ['ask why?', 'ask', { question: 'why?' }],
  ])('%j is the command %s', (text, command, args) => {
    expect(callOf(text)).toEqual([command, args]);
  });

  it.each([
    'try to explain overfitting',
    'help me understand bias',
    'explain why the loss rises while accuracy stays the same',
    'quiz questions are hard, what helps?',
    'runs of luck: are they overfitting?',
    'finetune or train from scratch, which one is better?',
    'fine-tuning versus feature extraction',
    'what is a run?',
    'loss',
    'overfitting',
    'Was ist Überanpassung?',
  ])('%j is a question', (text) => {
    expect(callOf(text)).toEqual(['ask', { question: text }]);
  });

  it.each([
    ['hlep', 'help'],
    ['quizz', 'quiz'],
    ['/explian bias', 'explain'],
    ['finetnue data.csv', 'finetune'],
    ['rusn', 'runs'],
    ['/fintune', 'finetune'],
  ])('%j is asked back about: %s', (text, command) => {
    const found = route(text);
    expect(found.kind).toBe('unknown');
    if (found.kind === 'unknown') expect(found.suggestions.map((call) => call.command)).toContain(command);
  });

  it('keeps the arguments of a misspelt command', () => {
    expect(callOf('/explian bias')).toEqual(['unknown', [{ command: 'explain', args: { concept: 'bias' } }]]);
  });

  it('says so when a command is near nothing', () => {
    expect(route('/frobnicate')).toEqual({ kind: 'unknown', word: 'frobnicate', suggestions: [], text: '/frobnicate' });
  });

  it('keeps line breaks and spaces of a question', () => {
    expect(callOf('why\n\n  this?')).toEqual(['ask', { question: 'why\n\n  this?' }]);
  });
});
