// Small things kept by name: replaced, kept once, and never seen from another workspace.
import { expect, it } from 'vitest';
import { createConversations } from '../engine/store/conversations.ts';
import { createKept } from '../engine/store/kept.ts';
import { describeOnEveryDatabase } from './support/databases.ts';

describeOnEveryDatabase('kept values', (open) => {
  const now = () => new Date();

  it('gives back what was put last, and nothing to another workspace or under another name', async () => {
    const { store } = await open();
    const conversations = createConversations({ db: store.db, now });
    const kept = createKept({ db: store.db, now });
    await conversations.openWorkspace('a', 'A');
    await conversations.openWorkspace('b', 'B');
    await kept.put('a', 'call', 'one', { command: 'ask' });
    await kept.put('a', 'call', 'one', { command: 'quiz', args: { ü: [1, null] } });
    expect(await kept.get('a', 'call', 'one')).toEqual({ command: 'quiz', args: { ü: [1, null] } });
    expect(await kept.get('b', 'call', 'one')).toBeUndefined();
    expect(await kept.get('a', 'token', 'one')).toBeUndefined();
    await kept.put('a', 'call', 'two', '1760000001.000010');
    expect(await kept.get('a', 'call', 'two')).toBe('1760000001.000010');
    expect((await kept.list('a', 'call')).map(({ name }) => name).sort()).toEqual(['one', 'two']);
    expect(await kept.list('b', 'call')).toEqual([]);
    await kept.remove('a', 'call', 'one');
    expect(await kept.get('a', 'call', 'one')).toBeUndefined();
  });

  it('lets the first of many writers win where a value is kept once', async () => {
    const { store } = await open();
    await createConversations({ db: store.db, now }).openWorkspace('a', 'A');
    const kept = createKept({ db: store.db, now });
    const found = await Promise.all(['x', 'y', 'z'].map((value) => kept.putOnce('a', 'thread', 'root', value)));
    expect(new Set(found).size).toBe(1);
  });
});
