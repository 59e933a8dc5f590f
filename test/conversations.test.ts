// What was said is kept, in order, once, and only shown to those who may see it.
import { expect, it } from 'vitest';
import { createConversations } from '../engine/store/conversations.ts';
import { describeOnEveryDatabase } from './support/databases.ts';

const here = { workspaceId: 'w', front: 'web', conversationId: 'c' };

describeOnEveryDatabase('conversations', (open) => {
  async function start() {
    const { store, reopen } = await open();
    let clock = Date.UTC(2026, 0, 1);
    const now = () => {
      clock += 1_000;
      return new Date(clock);
    };
    const conversations = createConversations({ db: store.db, now });
    await conversations.openWorkspace('w', 'Study group');
    return { conversations, store, reopen, now };
  }

  it('takes an event in once, however often and however fast it is delivered', async () => {
    const { conversations } = await start();
    const claims = await Promise.all(Array.from({ length: 10 }, () => conversations.claim('w', 'event-1')));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await conversations.claim('w', 'event-1')).toBe(false);
    expect(await conversations.claim('w', 'event-2')).toBe(true);
  });

  it('keeps the same key of two workspaces apart', async () => {
    const { conversations } = await start();
    await conversations.openWorkspace('other', 'Other');
    expect(await conversations.claim('w', 'k')).toBe(true);
    expect(await conversations.claim('other', 'k')).toBe(true);
  });

  it('opens a workspace twice without complaint, and takes nothing in for one that was never opened', async () => {
    const { conversations } = await start();
    await conversations.openWorkspace('w', 'Study group');
    await expect(conversations.say({ ...here, workspaceId: 'nobody' }, { content: 1 })).rejects.toThrow();
  });

  it('gives the last messages, oldest first, with their content as it was', async () => {
    const { conversations } = await start();
    const content = { text: "naïve 🙂 '); drop table messages; --", parts: [1, null, { deep: true }] };
    await conversations.say(here, { personId: 'ada', content: { text: 'first' } });
    await conversations.say(here, { personId: 'ada', content: { text: 'second' } });
    await conversations.say(here, { content });
    const history = await conversations.history(here, 'ada', 2);
    expect(history.map((message) => message.content)).toEqual([{ text: 'second' }, content]);
    expect(history[1]).toMatchObject({ personId: undefined, slot: undefined, externalId: undefined });
  });

  it('edits the message of a slot in place instead of adding one', async () => {
    const { conversations } = await start();
    const card = await conversations.say(here, { slot: 'run-1', content: 'step 1' });
    await conversations.setExternalId(here, card.id, '1700.42');
    await conversations.say(here, { content: 'in between' });
    const edited = await conversations.say(here, { slot: 'run-1', content: 'step 2' });
    expect(edited).toMatchObject({ id: card.id, externalId: '1700.42', content: 'step 2', createdAt: card.createdAt });
    expect(edited.updatedAt.getTime()).toBeGreaterThan(card.updatedAt.getTime());
    expect((await conversations.history(here, 'ada', 10)).map(({ content }) => content)).toEqual([
      'step 2',
      'in between',
    ]);
  });

  it('keeps one message for a slot that two writers fill at once', async () => {
    const { conversations } = await start();
    const said = await Promise.all([1, 2, 3, 4].map((content) => conversations.say(here, { slot: 's', content })));
    expect(new Set(said.map(({ id }) => id)).size).toBe(1);
    expect(await conversations.history(here, 'ada', 10)).toHaveLength(1);
  });

  it('shows a private message to its reader only, and nothing of another conversation, front or workspace', async () => {
    const { conversations } = await start();
    await conversations.openWorkspace('other', 'Other');
    await conversations.say(here, { visibleTo: 'ada', content: 'for ada' });
    await conversations.say({ ...here, conversationId: 'd' }, { content: 'elsewhere' });
    await conversations.say({ ...here, front: 'terminal' }, { content: 'elsewhere' });
    await conversations.say({ ...here, workspaceId: 'other' }, { content: 'elsewhere' });
    expect((await conversations.history(here, 'ada', 10)).map(({ content }) => content)).toEqual(['for ada']);
    expect(await conversations.history(here, 'bob', 10)).toEqual([]);
  });

  it('does not touch a message of another conversation when an external id is set', async () => {
    const { conversations } = await start();
    const message = await conversations.say(here, { content: 'mine' });
    await conversations.setExternalId({ ...here, conversationId: 'd' }, message.id, 'wrong');
    expect((await conversations.history(here, 'ada', 1))[0]?.externalId).toBeUndefined();
  });

  it('shows the same conversation after a restart', async () => {
    const { conversations, store, reopen, now } = await start();
    const said = await conversations.say(here, { personId: 'ada', content: { text: 'remember me' } });
    await store.close();
    const again = createConversations({ db: (await reopen()).db, now });
    expect(await again.history(here, 'ada', 10)).toEqual([said]);
  });
});
