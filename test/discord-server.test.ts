// The small Discord is strict: what Discord refuses it refuses, with Discord's own codes. And doctor's look at it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commands } from '../bot/commands/index.ts';
import { checkDiscord } from '../bot/fronts/discord/check.ts';
import { deployAll } from '../bot/fronts/discord/deploy-all.ts';
import { createDiscordServer, type DiscordServer, permissionBits } from './support/discord-server.ts';
import type { Channel, Interaction, User } from './support/discord-world.ts';

let server: DiscordServer;
let channel: Channel;
let ann: User;
let offsetMs = 0;

beforeEach(async () => {
  offsetMs = 0;
  server = await createDiscordServer({ now: () => new Date(Date.now() + offsetMs) });
  const [first] = server.addGuild('Group', ['general']).channels;
  if (first === undefined) throw new Error('no channel');
  channel = first;
  ann = server.addUser('Ann');
});
afterEach(() => server.close());

async function call(method: string, route: string, body?: unknown, token = `Bot ${server.token}`) {
  const response = await fetch(`${server.apiUrl}/v10${route}`, {
    method,
    headers: { authorization: token, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: text === '' ? undefined : JSON.parse(text),
  };
}
const post = (body: unknown) => call('POST', `/channels/${channel.id}/messages`, body);
const v2 = (...components: unknown[]) => ({ flags: 32768, components });
const text = (content: string) => ({ type: 10, content });
const button = (custom_id: string, label = 'x') => ({ type: 2, style: 1, label, custom_id });
const row = (...components: unknown[]) => ({ type: 1, components });
const use = (type = 2, source?: Interaction['source']): Interaction => {
  const { interaction } = server.startInteraction(ann, channel, type, {}, source);
  return interaction;
};
const answer = ({ id, token }: Interaction, body: unknown, query = '') =>
  call('POST', `/interactions/${id}/${token}/callback${query}`, body);

describe('a message', () => {
  it.each([
    ['empty', {}, 50006],
    ['with content and components of the second version', { ...v2(text('a')), content: 'b' }, 50035],
    ['of too much text', v2(text('x'.repeat(2500)), text('y'.repeat(1501))), 50035],
    ['of 41 components', v2(...Array.from({ length: 41 }, () => text('x'))), 50035],
    ['with six buttons in a row', v2(row(...Array.from({ length: 6 }, (_, n) => button(`b${n}`)))), 50035],
    ['with one custom id twice', v2(row(button('a'), button('a'))), 50035],
    ['with a custom id of 101 characters', v2(row(button('x'.repeat(101)))), 50035],
    ['with a label of 81 characters', v2(row(button('a', 'x'.repeat(81)))), 50035],
    ['with an unknown field', { ...v2(text('a')), colour: 1 }, 50035],
    ['with a file that was not sent', v2({ type: 12, items: [{ media: { url: 'attachment://a.png' } }] }), 50035],
    ['with components but without their flag', { components: [text('a')] }, 50035],
    ['of 2,001 characters', { content: 'x'.repeat(2001) }, 50035],
    ['for one person, where there is no interaction', { content: 'a', flags: 64 }, 50035],
  ])('%s is refused', async (_what, body, code) => {
    expect((await post(body)).body).toMatchObject({ code });
  });

  it('of somebody else, a deleted one, and one in a place without permission are refused', async () => {
    const theirs = server.say(ann, channel, 'mine');
    expect(
      (await call('PATCH', `/channels/${channel.id}/messages/${theirs.id}`, { content: 'yours' })).body,
    ).toMatchObject({ code: 50005 });
    expect((await call('PATCH', `/channels/${channel.id}/messages/1`, { content: 'x' })).body).toMatchObject({
      code: 10008,
    });
    channel.denied = permissionBits.sendMessages;
    expect((await post({ content: 'x' })).body).toMatchObject({ code: 50013 });
    channel.denied = permissionBits.viewChannel;
    expect((await post({ content: 'x' })).body).toMatchObject({ code: 50001 });
    expect((await call('GET', '/users/@me', undefined, 'Bot wrong')).status).toBe(401);
  });

  it('with a file that is too large, or without the permission for files, is refused; also when it is edited', async () => {
    const send = async (method: string, route: string, bytes: number) => {
      const form = new FormData();
      form.set('payload_json', JSON.stringify({ content: 'a', attachments: [{ id: '0', filename: 'a.bin' }] }));
      form.set('files[0]', new Blob([new Uint8Array(bytes)]), 'a.bin');
      const headers = { authorization: `Bot ${server.token}` };
      const response = await fetch(`${server.apiUrl}/v10${route}`, { method, body: form, headers });
      return (await response.json()) as { id?: string; code?: number };
    };
    const route = `/channels/${channel.id}/messages`;
    expect((await send('POST', route, 10 * 1024 * 1024 + 1)).code).toBe(40005);
    const { id } = await send('POST', route, 10);
    channel.denied = permissionBits.attachFiles;
    expect((await send('POST', route, 10)).code).toBe(50013);
    expect((await send('PATCH', `${route}/${id}`, 10)).code).toBe(50013);
  });

  it('older than an hour can be edited a few times only; the same nonce posts once', async () => {
    const { body } = await post({ content: 'a', nonce: '1', enforce_nonce: true });
    expect((await post({ content: 'a', nonce: '1', enforce_nonce: true })).body.id).toBe(body.id);
    offsetMs = 61 * 60_000;
    const edit = () => call('PATCH', `/channels/${channel.id}/messages/${body.id}`, { content: 'b' });
    for (let n = 0; n < 5; n++) expect((await edit()).status).toBe(200);
    expect((await edit()).body).toMatchObject({ code: 30046 });
  });
});

describe('limits', () => {
  it('of a bucket and of all routes together are told in headers and kept; interactions count for neither', async () => {
    await server.close();
    server = await createDiscordServer({ global: 3, bucket: { limit: 2, windowMs: 60_000 } });
    const [room] = server.addGuild('Group', ['general']).channels;
    if (room === undefined) throw new Error('no channel');
    channel = room;
    ann = server.addUser('Ann');
    expect([(await post({ content: 'a' })).status, (await post({ content: 'b' })).status]).toEqual([200, 200]);
    expect((await post({ content: 'c' })).body).toMatchObject({ global: false, retry_after: expect.any(Number) });
    expect((await call('GET', '/users/@me')).body).toMatchObject({ global: true, retry_after: expect.any(Number) });
    expect((await answer(use(), { type: 5 })).status).toBe(204);
  });
});

describe('an interaction', () => {
  it('is acknowledged once, in time, in a way that answers it; a 204 carries no type', async () => {
    const first = use();
    const acknowledged = await answer(first, { type: 5 });
    expect(acknowledged).toEqual({ status: 204, type: null, body: undefined });
    expect((await answer(first, { type: 5 })).body).toMatchObject({ code: 40060 });
    expect((await answer(use(), { type: 6 })).body).toMatchObject({ code: 50035 });
    expect((await answer(use(), { type: 5 }, '?with_response=true')).body).toMatchObject({
      resource: { message: { flags: 128 } },
    });
    const late = use();
    offsetMs = 3100;
    expect((await answer(late, { type: 5 })).body).toMatchObject({ code: 10062 });
  });

  it('is answered under its token for fifteen minutes, after it was acknowledged', async () => {
    const one = use();
    const hook = `/webhooks/${server.world.bot.id}/${one.token}`;
    expect((await call('POST', hook, { content: 'a' })).body).toMatchObject({ code: 10015 });
    await answer(one, { type: 5 });
    // The first answer takes the place of "thinking…", and its audience.
    await call('POST', hook, { content: 'not private', flags: 64 });
    expect(channel.messages.at(-1)).toMatchObject({ content: 'not private', visibleTo: undefined });
    await call('POST', hook, { content: 'private', flags: 64 });
    expect(channel.messages.at(-1)).toMatchObject({ content: 'private', visibleTo: ann.id });
    offsetMs = 15 * 60_000 + 1000;
    expect((await call('POST', hook, { content: 'b' })).body).toMatchObject({ code: 50027 });
  });

  it('of a modal keeps the rules of modals', async () => {
    const label = (n: number) => ({ type: 18, label: `L${n}`, component: { type: 4, custom_id: `c${n}`, style: 1 } });
    const modal = (count: number, title = 'T') => ({
      type: 9,
      data: { custom_id: 'm', title, components: Array.from({ length: count }, (_, n) => label(n)) },
    });
    expect((await answer(use(), modal(6))).body).toMatchObject({ code: 50035 });
    expect((await answer(use(), modal(1, 'x'.repeat(46)))).body).toMatchObject({ code: 50035 });
    expect((await answer(use(), modal(5))).status).toBe(204);
  });
});

describe('doctor', () => {
  it('says who the bot is, how to invite it, what it lacks, and what the commands need', async () => {
    const look = await checkDiscord(server.token, server.apiUrl, commands);
    expect(look.problems).toEqual([]);
    expect(look.found.join('\n')).toMatch(/Finetutor, in 1 server[\s\S]*client_id=\d+[\s\S]*deploy-commands/);
    expect(await deployAll(server.token, server.apiUrl, commands)).toMatch(/new: ask, explain/);
    expect((await checkDiscord(server.token, server.apiUrl, commands)).found.join('\n')).toMatch(
      `${commands.length + 2} commands are up to date`,
    );
  });

  it('names a refused token and a server that is not there, with the next step', async () => {
    expect((await checkDiscord('wrong', server.apiUrl, commands)).problems).toEqual([
      expect.stringMatching(/does not take DISCORD_TOKEN.*Reset it/),
    ]);
    expect((await checkDiscord('x', 'http://127.0.0.1:1', commands)).problems).toEqual([
      expect.stringMatching(/can't be reached.*DISCORD_API_URL/),
    ]);
    await expect(deployAll('wrong', server.apiUrl, commands)).rejects.toThrow('refused DISCORD_TOKEN');
  });

  it('says where people can not install it for themselves, and what to tick', async () => {
    await server.close();
    server = await createDiscordServer({ personal: false });
    const { problems } = await checkDiscord(server.token, server.apiUrl, commands);
    expect(problems).toEqual([expect.stringMatching(/Tick User Install on the Installation page/)]);
  });

  it('names permissions the bot lacks in a server', async () => {
    await server.close();
    server = await createDiscordServer({ allowed: permissionBits.viewChannel | permissionBits.sendMessages });
    server.addGuild('Strict', ['general']);
    const { problems } = await checkDiscord(server.token, server.apiUrl, commands);
    expect(problems).toEqual([expect.stringMatching(/in Strict the bot lacks .*Attach Files/)]);
  });
});
