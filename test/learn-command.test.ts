// learn and ask as people meet them: what is typed, filled in and pressed, and what comes back.
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { channelOf } from '../bot/chat/channel.ts';
import { routeText } from '../bot/chat/router.ts';
import { commands } from '../bot/commands/index.ts';
import type { Answer, GroupDocument, Material } from '../engine/index.ts';
import { UserError } from '../engine/index.ts';
import { createTalk, wordsOf } from './support/talk.ts';

interface Added {
  readonly name: string | undefined;
  readonly from: object;
  readonly shared: boolean;
  readonly channelId: string | undefined;
}

function talkWithMaterial(place?: Parameters<typeof createTalk>[0]) {
  const talk = createTalk(place);
  const added: Added[] = [];
  const documents: GroupDocument[] = [];
  const material: Material = {
    ...talk.engine.material,
    add: async ({ where, shared, personId, from, name }) => {
      added.push({ name, from, shared, channelId: where.channelId });
      const document: GroupDocument = {
        id: `id-${added.length}`,
        name: name ?? ('path' in from ? from.name : 'page'),
        title: 'A title',
        channelId: shared ? undefined : where.channelId,
        format: 'pdf',
        url: 'url' in from ? from.url : undefined,
        pages: 'path' in from ? 12 : undefined,
        passages: 34,
        addedBy: personId,
        refreshedAt: new Date('2026-11-20'),
      };
      documents.push(document);
      return document;
    },
    list: async () => documents,
    remove: async (_where, name, may) => {
      const found = documents.find((document) => document.name === name);
      if (found === undefined || !may(found)) throw new UserError('Not yours.', 'Ask them.');
      documents.splice(documents.indexOf(found), 1);
      return found;
    },
    passage: async (_where, id, number) => ({
      passages: 9,
      title: `${id}, page ${number}`,
      text: 'Words *as* written.\n\n<b>Next</b>',
    }),
  };
  Object.assign(talk.engine, { material });
  return { ...talk, added, documents };
}

const discord = { front: 'discord', workspaceId: 'w', conversationId: 'thread', channelId: 'channel' } as const;

test('a file sent along is learned, and so is an address', async () => {
  const talk = talkWithMaterial();
  const path = join(tmpdir(), 'finetutor-learn.pdf');
  writeFileSync(path, 'x');
  expect(wordsOf(await talk.say('learn add', [{ name: 'hand_book.pdf', path, bytes: 1 }]))).toMatch(
    /Learned hand.*12 pages, 34 passages/s,
  );
  await talk.say('learn add https://example.org/notes --name Notes');
  expect(talk.added.map(({ from }) => from)).toEqual([
    { name: 'hand_book.pdf', path },
    { url: 'https://example.org/notes' },
  ]);
  expect(talk.added[1]?.name).toBe('Notes');
  expect(wordsOf(await talk.say('learn list'))).toMatch(/Notes \| 34 passages \| by everyone here \| example.org/);
});

test('learn alone lists what there is, and offers a form that takes a file or an address', async () => {
  const talk = talkWithMaterial();
  expect(wordsOf(await talk.say('learn'))).toMatch(/Nothing has been added yet.*\[Add a document\]/s);
  expect(wordsOf(await talk.say('learn add'))).toMatch(/Add a document From File Address Name Add/);
  await talk.fill(
    { command: 'learn', args: { action: 'add' } },
    { from: 'web', what: 'https://example.org/a', name: '' },
  );
  expect(talk.added).toMatchObject([{ from: { url: 'https://example.org/a' }, name: undefined, shared: true }]);
  expect(wordsOf(await talk.say('learn add nonsense'))).toMatch(/no web address/);
});

test('in a channel a document is for that channel, unless it is meant for everyone', async () => {
  const talk = talkWithMaterial({ place: discord });
  await talk.say('learn add https://example.org/a');
  await talk.say('learn add https://example.org/b --everyone');
  expect(talk.added.map(({ shared, channelId }) => [shared, channelId])).toEqual([
    [false, 'channel'],
    [true, 'channel'],
  ]);
  expect(channelOf({ front: 'slack', workspaceId: 'w', conversationId: 'C1:1700.1' })).toBe('C1');
});

test('whoever added a document removes it; others cannot, unless they look after the workspace', async () => {
  const talk = talkWithMaterial({ place: discord });
  await talk.say('learn add https://example.org/a --name rules');
  const remove = { command: 'learn', args: { action: 'remove', what: 'rules' } };
  expect(wordsOf(await talk.press(remove, { id: 'bob', name: 'Bob' }))).toMatch(/Not yours/);
  expect(wordsOf(await talk.press(remove))).toMatch(/rules.*is forgotten/);
  const atHome = talkWithMaterial();
  await atHome.say('learn add https://example.org/a --name rules');
  expect(wordsOf(await atHome.press(remove, { id: 'bob', name: 'Bob' }))).toMatch(/forgotten/);
});

test('a citation of a document opens its passage, as words', async () => {
  const talk = talkWithMaterial();
  const args = { action: 'show', what: 'document:id-1', passage: '7' };
  expect(wordsOf(await talk.press({ command: 'learn', args }))).toBe(
    '**id\\-1, page 7**\nWords \\*as\\* written.\n\n\\<b\\>Next\\</b\\>',
  );
});

test('a passage is read by what the terminal says of it: its document and its number', async () => {
  const { say } = talkWithMaterial();
  expect(wordsOf(await say('learn show document:id-1 7'))).toContain('id\\-1, page 7');
});

test('"learn about overfitting" is a question, not a document', () => {
  const commandOf = (words: string) => {
    const route = routeText(words, commands);
    return route.kind === 'call' ? route.call.command : route.kind;
  };
  expect(commandOf('learn about overfitting')).toBe('ask');
  expect(commandOf('learn how LoRA works')).toBe('ask');
  expect(commandOf('learn list')).toBe('learn');
  expect(commandOf('/learn remove handbook')).toBe('learn');
});

test('words that come one by one are one message, edited as it grows, and whole at the end', async () => {
  const talk = createTalk();
  const whole = await talk.engine.tutor.ask('x', []);
  Object.assign(talk.engine.tutor, {
    ask: async (_question: string, _turns: unknown, { onDraft }: { onDraft: (draft: Answer) => void }) => {
      for (const markdown of ['One.', 'One. Two.']) {
        onDraft({ ...whole, markdown });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return { ...whole, markdown: 'One. Two. Three.' };
    },
  });
  const replies = await talk.say('what is overfitting?');
  expect(replies.map((one) => wordsOf([one]).split('\n')[0])).toEqual(['One. …', 'One. Two. …', 'One. Two. Three.']);
  expect(new Set(replies.map(({ slot }) => slot)).size).toBe(1);
  expect(replies[0]?.slot).toMatch(/^answer:/);
});

test('an answer that fails after its first words is apologised for once', async () => {
  const talk = createTalk();
  const whole = await talk.engine.tutor.ask('x', []);
  Object.assign(talk.engine.tutor, {
    ask: async (_question: string, _turns: unknown, { onDraft }: { onDraft: (draft: Answer) => void }) => {
      onDraft({ ...whole, markdown: 'One.' });
      await new Promise((resolve) => setTimeout(resolve, 1));
      throw new Error('broken');
    },
  });
  const replies = await talk.say('what is overfitting?');
  expect(wordsOf(replies)).toMatch(/Something broke/);
  expect(talk.logged).toHaveLength(1);
});
