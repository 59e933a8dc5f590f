// The Slack for tests is as strict as Slack: it refuses what Slack refuses, with its error codes.
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createSlackServer, type SlackServer } from './support/slack-server.ts';
import { methods } from './support/slack-server-methods.ts';
import { checkBlocks, checkView } from './support/slack-server-rules.ts';
import { errorsOf, methodNames, noSpec } from './support/slack-spec.ts';

let server: SlackServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function open() {
  server = await createSlackServer({ triggerMs: 50 });
  const ada = server.addPerson('Ada');
  const channel = server.addChannel('study', [ada]);
  const { apiUrl, botToken } = server;
  const call = async (
    method: string,
    args: { [name: string]: unknown },
    token = botToken,
  ): Promise<{ [name: string]: unknown }> => {
    const response = await fetch(`${apiUrl}${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(args),
    });
    return Object.fromEntries(Object.entries((await response.json()) ?? {}));
  };
  const post = (args: { [name: string]: unknown }) =>
    call('chat.postMessage', { channel: channel.id, text: 'x', ...args });
  return { server, ada, channel, call, post };
}

const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });
const button = (more = {}) => ({ type: 'button', text: { type: 'plain_text', text: 'Go' }, action_id: 'a', ...more });
const actions = (...elements: object[]) => ({ type: 'actions', elements });
const table = (rows: number, columns: number, text = 'x') => ({
  type: 'table',
  rows: Array.from({ length: rows }, () => Array.from({ length: columns }, () => ({ type: 'raw_text', text }))),
});
const options = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ text: { type: 'plain_text', text: `o${n}` }, value: `${n}` }));

describe('blocks', () => {
  it.each<[string, object[]]>([
    ['51 blocks', Array.from({ length: 51 }, () => ({ type: 'divider' }))],
    ['an unknown type', [{ type: 'marquee' }]],
    ['an unknown field', [{ ...section('x'), colour: 'red' }]],
    ['an empty text', [section('')]],
    ['a section of 3001 characters', [section('x'.repeat(3001))]],
    ['a header of 151 characters', [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }]],
    ['a header with markup', [{ type: 'header', text: { type: 'mrkdwn', text: 'x' } }]],
    ['11 fields', [{ type: 'section', fields: Array.from({ length: 11 }, () => ({ type: 'mrkdwn', text: 'x' })) }]],
    ['26 elements', [actions(...Array.from({ length: 26 }, (_, n) => button({ action_id: `a${n}` })))]],
    ['an action id twice', [actions(button(), button())]],
    ['a button of 76 characters', [actions(button({ text: { type: 'plain_text', text: 'x'.repeat(76) } }))]],
    ['a value of 2001 characters', [actions(button({ value: 'x'.repeat(2001) }))]],
    ['an action id of 256 characters', [actions(button({ action_id: 'x'.repeat(256) }))]],
    ['a secondary style', [actions(button({ style: 'secondary' }))]],
    ['a disabled button', [actions(button({ disabled: true }))]],
    [
      'a block id twice',
      [
        { type: 'divider', block_id: 'b' },
        { type: 'divider', block_id: 'b' },
      ],
    ],
    ['101 options', [actions({ type: 'static_select', action_id: 's', options: options(101) })]],
    ['11 radio buttons', [actions({ type: 'radio_buttons', action_id: 's', options: options(11) })]],
    ['a markdown block of 12,001 characters', [{ type: 'markdown', text: 'x'.repeat(12_001) }]],
    ['a table of 101 rows', [table(101, 1)]],
    ['a table of 21 columns', [table(1, 21)]],
    ['a table of 10,001 characters', [table(10, 1, 'x'.repeat(1001))]],
    ['two tables', [table(1, 1), table(1, 1)]],
    ['13,201 characters in all', Array.from({ length: 5 }, () => section('x'.repeat(2700)))],
    ['half a character', [section('\uD83C')]],
    [
      'an input in a message',
      [
        {
          type: 'input',
          label: { type: 'plain_text', text: 'x' },
          element: { type: 'plain_text_input', action_id: 'a' },
        },
      ],
    ],
    ['an image from nowhere', [{ type: 'image', alt_text: 'x' }]],
  ])('with %s are refused', (_, blocks) => {
    expect(checkBlocks(blocks, 'message')).not.toEqual([]);
  });

  it('within the limits are taken', () => {
    expect(
      checkBlocks([section('x'.repeat(3000)), actions(button({ value: 'x'.repeat(2000) })), table(100, 20)], 'message'),
    ).toEqual([]);
    expect(checkView({ type: 'modal', title: { type: 'plain_text', text: 'x'.repeat(25) }, blocks: [] })).not.toEqual(
      [],
    );
  });
});

describe('the Web API', () => {
  it('refuses tokens, places, contents and messages of others with the codes of Slack', async () => {
    const { ada, channel, call, post, server: slack } = await open();
    const foreign = slack.addChannel('else', [ada], { withBot: false });
    const hers = await slack.say(ada, foreign, 'hello');
    expect(await call('auth.test', {}, 'xoxb-wrong')).toMatchObject({ ok: false, error: 'invalid_auth' });
    expect(await call('auth.test', {}, slack.appToken)).toMatchObject({ error: 'not_allowed_token_type' });
    expect(await post({ channel: 'C0' })).toMatchObject({ error: 'channel_not_found' });
    expect(await post({ channel: foreign.id })).toMatchObject({ error: 'not_in_channel' });
    expect(await post({ text: ' ' })).toMatchObject({ error: 'no_text' });
    expect(await post({ blocks: [{ type: 'marquee' }] })).toMatchObject({ error: 'invalid_blocks' });
    expect(await post({ colour: 'red' })).toMatchObject({ error: 'invalid_arguments' });
    expect(await call('chat.update', { channel: foreign.id, ts: hers.ts, text: 'mine' })).toMatchObject({
      error: 'cant_update_message',
    });
    expect(await call('chat.update', { channel: channel.id, ts: '1.1', text: 'x' })).toMatchObject({
      error: 'message_not_found',
    });
    expect(await call('chat.everything', {})).toMatchObject({ error: 'unknown_method' });
    slack.revoke(slack.botToken);
    expect(await post({})).toMatchObject({ error: 'token_revoked' });
  });

  it('notes what would notify people', async () => {
    const { post, server: slack } = await open();
    await post({ text: 'hi <!channel>' });
    await post({ blocks: [section('hi <@U1>')] });
    await post({ text: 'hi', link_names: true });
    expect(slack.violations.filter((one) => /notif/.test(one))).toHaveLength(3);
  });

  it('lets a trigger id serve once, and not for long', async () => {
    const { call, server: slack } = await open();
    const view = { type: 'modal', title: { type: 'plain_text', text: 'T' }, blocks: [] };
    slack.context.triggers.set('t1', { user: 'U1', expiresMs: Date.now() + 1000, used: false });
    slack.context.triggers.set('t2', { user: 'U1', expiresMs: Date.now() - 1, used: false });
    expect(await call('views.open', { trigger_id: 't1', view })).toMatchObject({ ok: true });
    expect(await call('views.open', { trigger_id: 't1', view })).toMatchObject({ error: 'exchanged_trigger_id' });
    expect(await call('views.open', { trigger_id: 't2', view })).toMatchObject({ error: 'expired_trigger_id' });
    expect(await call('views.open', { trigger_id: 't3', view })).toMatchObject({ error: 'invalid_trigger_id' });
  });

  it('takes no answer to a form that names no field of it, and no late or second acknowledgement', async () => {
    const { ada, channel, call, server: slack } = await open();
    const answers: ((envelope: { [name: string]: unknown }) => object[])[] = [];
    const opened = await call('apps.connections.open', {}, slack.appToken);
    const socket = new WebSocket(String(opened.url));
    socket.on('message', (data) => {
      const envelope = JSON.parse(String(data));
      if (envelope.type === 'hello') return;
      for (const answer of answers.shift()?.(envelope) ?? []) socket.send(JSON.stringify(answer));
    });
    await expect.poll(() => slack.sockets()).toBe(1);
    slack.context.triggers.set('t1', { user: ada.id, expiresMs: Date.now() + 1000, used: false });
    const label = { type: 'plain_text', text: 'Name' };
    const element = { type: 'plain_text_input', action_id: 'a', initial_value: 'x' };
    const blocks = [{ type: 'input', block_id: 'name', label, element }];
    const title = { type: 'plain_text', text: 'T' };
    const submit = { type: 'plain_text', text: 'Go' };
    await call('views.open', { trigger_id: 't1', view: { type: 'modal', title, submit, blocks } });
    const answered = async (payload: object) => {
      answers.push(({ envelope_id }) => [{ envelope_id, payload }]);
      await slack.submit(ada);
      return slack.violations.splice(0);
    };
    expect(await answered({ response_action: 'errors', errors: { name: 'Too short' } })).toEqual([]);
    expect(await answered({ response_action: 'errors', errors: { nome: 'Too short' } })).toEqual([
      'view: no input block is called nome',
    ]);
    expect(
      await answered({ response_action: 'update', view: { type: 'modal', title, blocks: [{ type: 'x' }] } }),
    ).not.toEqual([]);
    expect(await answered({ response_action: 'wave' })).toEqual(['view: no response_action is called wave']);

    answers.push(({ envelope_id }) => [{ envelope_id }, { envelope_id }]);
    await slack.slash(ada, channel, 'twice');
    await expect.poll(() => slack.violations.splice(0)).toEqual(['a second acknowledgement of one slash_commands']);
    socket.terminate();
  });

  it.skipIf(noSpec !== undefined)(
    `has the methods and codes of the published contract${noSpec === undefined ? '' : ` (skipped: ${noSpec})`}`,
    () => {
      expect(Object.keys(methods).filter((name) => !methodNames.includes(name))).toEqual([]);
      expect(errorsOf('chat.update')).toContain('cant_update_message');
      expect(errorsOf('views.open')).toEqual(
        expect.arrayContaining(['expired_trigger_id', 'exchanged_trigger_id', 'invalid_trigger_id']),
      );
      expect(errorsOf('chat.postMessage')).toEqual(
        expect.arrayContaining(['invalid_blocks', 'not_in_channel', 'no_text', 'msg_blocks_too_long']),
      );
      expect(errorsOf('chat.stopStream')).toContain('message_not_in_streaming_state');
    },
  );
});
