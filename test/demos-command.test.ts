// The command demo: a menu, a picture with controls, and changes that stay in the same message, on every front.
import { describe, expect, it } from 'vitest';
import type { Block, Call, Reply } from '../bot/chat/message.ts';
import { commands } from '../bot/commands/index.ts';
import { readCustomId, readRecord } from '../bot/fronts/discord/custom-id.ts';
import { renderReply as renderDiscord } from '../bot/fronts/discord/render.ts';
import { slashCommands } from '../bot/fronts/discord/slash.ts';
import { renderReply as renderSlack } from '../bot/fronts/slack/render.ts';
import { createPaint } from '../bot/fronts/terminal/paint.ts';
import { renderReply as renderTerminal } from '../bot/fronts/terminal/render.ts';
import { renderReply as renderWeb } from '../bot/fronts/web/render.ts';
import { readComponents, walk } from './support/discord-preview.ts';
import { checkMessage, flagBits } from './support/discord-rules.ts';
import { checkBlocks, type Fields } from './support/slack-server-rules.ts';
import { buttonOf, createTalk, wordsOf } from './support/talk.ts';

type Select = Extract<Block, { kind: 'select' }>;
const selectsOf = (reply: Reply | undefined) =>
  reply?.blocks.filter((block): block is Select => block.kind === 'select') ?? [];
const pictureOf = (reply: Reply | undefined) => reply?.blocks.find((block) => block.kind === 'picture');

/** The call a select makes when this value is chosen. */
function choose(reply: Reply | undefined, argument: string, value: string): Call {
  const select = selectsOf(reply).find((each) => each.argument === argument);
  if (select === undefined) throw new Error(`no control ${argument}`);
  return { ...select.call, args: { ...select.call.args, [argument]: value } };
}

describe('demo', () => {
  it('without a name is a menu of all of them by chapter, from which one can be opened', async () => {
    const talk = createTalk();
    const [menu] = await talk.say('demo');
    expect(wordsOf(menu ? [menu] : [])).toContain('`demo overfitting`');
    const [opened] = await talk.press(choose(menu, 'demo', 'k-means'));
    expect(pictureOf(opened)?.kind).toBe('picture');
  });

  it('shows the picture, what follows from it, sources, and the controls as they stand', async () => {
    const talk = createTalk();
    const [shown] = await talk.say('demo overfitting degree=3');
    expect(shown?.blocks.map(({ kind }) => kind)).toEqual([
      'picture',
      'text',
      'sources',
      'select',
      'select',
      'select',
      'buttons',
    ]);
    expect(selectsOf(shown).map(({ argument, value }) => [argument, value])).toEqual([
      ['degree', '3'],
      ['points', '20'],
      ['noise', '0.3'],
    ]);
    expect(wordsOf(shown ? [shown] : [])).toContain('degree 3');
  });

  it('changes in the same message when a control is turned, keeping the other controls and the data', async () => {
    const talk = createTalk();
    const [first] = await talk.say('demo overfitting noise=0.1');
    const [second] = await talk.press(choose(first, 'degree', '1'));
    const [third] = await talk.press(choose(second, 'points', '50'));
    expect(second?.slot).toBe(first?.slot);
    expect(third?.slot).toBe(first?.slot);
    expect(selectsOf(third).map(({ value }) => value)).toEqual(['1', '50', '0.1']);
    const [again] = await talk.say('demo overfitting noise=0.1');
    expect(again?.slot).not.toBe(first?.slot);
    expect(pictureOf(again)).toEqual(pictureOf(first));
  });

  it('draws other data for the same settings, and starts over, in the same message', async () => {
    const talk = createTalk();
    const first = await talk.say('demo overfitting degree=2');
    const fresh = await talk.press(buttonOf(first, 'New data'));
    expect(fresh[0]?.slot).toBe(first[0]?.slot);
    expect(selectsOf(fresh[0])[0]?.value).toBe('2');
    expect(pictureOf(fresh[0])).not.toEqual(pictureOf(first[0]));
    const over = await talk.press(buttonOf(fresh, 'Start over'));
    expect(over[0]?.slot).toBe(first[0]?.slot);
    expect(selectsOf(over[0])[0]?.value).toBe('15');
  });

  it('answers a redelivered turn of a control once', async () => {
    const talk = createTalk();
    const [first] = await talk.say('demo overfitting');
    const event = { kind: 'action', call: choose(first, 'degree', '4'), key: 'same' } as const;
    expect(await talk.send(event)).toHaveLength(1);
    expect(await talk.send(event)).toEqual([]);
  });

  it('keeps a value that is none of its steps among them', async () => {
    const [shown] = await createTalk().say('demo overfitting degree=11');
    expect(selectsOf(shown)[0]?.options.map(({ value }) => value)).toContain('11');
  });

  it.each([
    ['demo overfitting degree=99', "degree can't be 99: it must be a whole number from 0 to 15"],
    ['demo overfitting colour=red', 'has no control “colour”'],
    ['demo k-means start=top', 'it must be one of random, plusplus, corner'],
    ['demo perpetual motion', 'There is no demo “perpetual motion”'],
    ['demo lora seed=-1', "The seed can't be -1"],
  ])('refuses %j for the one who asked, with what is allowed', async (line, expected) => {
    const talk = createTalk();
    const replies = await talk.say(line);
    expect(replies[0]?.audience).toBe('asker');
    expect(wordsOf(replies).replaceAll('\\', '')).toContain(expected);
    expect(talk.logged).toEqual([]);
  });

  it.each<Call['args']>([
    { demo: { $ne: 1 } },
    { demo: 'overfitting', degree: ['3'] },
    { demo: 'overfitting', card: 'x'.repeat(500) },
    { demo: 'overfitting', constructor: 'x' },
    { demo: '__proto__' },
  ])('answers the forged call %j with words', async (args) => {
    const talk = createTalk();
    const replies = await talk.press({ command: 'demo', args });
    expect(replies).toHaveLength(1);
    expect(replies[0]?.audience).toBe('asker');
    expect(talk.logged).toEqual([]);
  });

  it("takes words of one's own, quoted or by form, and shows them as nothing but words", async () => {
    const talk = createTalk();
    const [typed] = await talk.say('demo tokens text="<b>two</b> @everyone words" merges=0');
    expect(pictureOf(typed)?.kind === 'picture' && pictureOf(typed)).toMatchObject({
      alt: expect.stringContaining('tokens'),
    });
    const form = typed?.blocks.find((block) => block.kind === 'form');
    if (form?.kind !== 'form') throw new Error('no form');
    const [filled] = await talk.fill(form.call, { text: 'other words' });
    expect(filled?.slot).toBe(typed?.slot);
    expect(selectsOf(filled).find(({ argument }) => argument === 'merges')?.value).toBe('0');
  });

  it('leaves questions that begin with the word to the tutor', async () => {
    const talk = createTalk();
    await talk.say('demo data is what I have, how do I split it?');
    expect(talk.engine.asked).toHaveLength(1);
  });

  it('is offered by an answer whose chapter has one', async () => {
    const talk = createTalk();
    const answer = await talk.say('explain overfitting');
    const [opened] = await talk.press(buttonOf(answer, 'Show me'));
    expect(opened?.slot).toMatch(/^demo:/);
  });

  it('is in the help, and registered with Discord with a name that can be completed', async () => {
    expect(wordsOf(await createTalk().say('help'))).toContain('`demo [name]');
    const registered = slashCommands(commands).find(({ name }) => name === 'demo');
    expect(registered && 'options' in registered && registered.options?.[0]).toMatchObject({
      name: 'name',
      autocomplete: true,
    });
  });
});

describe('a demo on each front', () => {
  const shown = async (line: string) => {
    const [reply] = await createTalk().say(line);
    if (reply === undefined) throw new Error('no reply');
    return reply;
  };

  it('is one message that Discord takes; a control says what it is and what it stands at', async () => {
    for (const line of [
      'demo overfitting degree=4',
      'demo decision-boundary model=forest',
      'demo tokens',
      'demo lora',
    ]) {
      const { pages, keepsakes } = renderDiscord(await shown(line), { sectionUrl: () => undefined, fileBytes: 1e7 });
      expect(pages).toHaveLength(1);
      const components = pages[0]?.components ?? [];
      const files = pages[0]?.files.map(({ name }) => name) ?? [];
      const attachments = files.map((filename, id) => ({ id: String(id), filename }));
      checkMessage({ flags: flagBits.componentsV2, components, attachments }, 'post', files, undefined);
      const selects = walk(readComponents(components)).filter((one) => one.type === 3);
      expect(selects.length).toBeGreaterThan(0);
      for (const select of selects) {
        const chosen = select.options?.filter((option) => option.default === true) ?? [];
        expect(chosen).toHaveLength(1);
        expect(chosen[0]?.label).toMatch(/^.+: .+/);
        const meaning = readCustomId(select.custom_id ?? '');
        const kept =
          meaning?.kind === 'kept' ? readRecord(keepsakes.find(({ id }) => id === meaning.id)?.value) : meaning;
        expect(kept).toMatchObject({ kind: 'select', call: { command: 'demo' } });
      }
    }
  });

  it('is one message that Slack takes, its lists standing at what holds', async () => {
    const reply = await shown('demo k-means k=5');
    const { pages } = renderSlack(reply, { fileOf: () => 'F1', sectionUrl: () => undefined, messageKey: '1' });
    expect(pages).toHaveLength(1);
    const blocks: readonly Fields[] = JSON.parse(JSON.stringify(pages[0]?.blocks));
    expect(checkBlocks(blocks, 'message')).toEqual([]);
    expect(JSON.stringify(blocks)).toContain('"initial_option":{"text":{"type":"plain_text","text":"5"');
  });

  it('has sliders and lists in the page, named and set', async () => {
    const html = renderWeb(await shown('demo k-means k=5'), { idPrefix: 'm1', fileHref: () => undefined });
    expect(html.match(/type="range"/g)).toHaveLength(2);
    expect(html).toMatch(
      /<input type="range" id="m1-select0-choice" min="0" max="7" step="1" value="4" aria-valuetext="5"/,
    );
    expect(html).toContain('<label for="m1-select0-choice">Clusters k</label>');
    expect(html).toMatch(/<option value="random" selected>/);
    expect(html.match(/class="dials"/g)).toHaveLength(1);
  });

  it('lists the steps in the terminal on a few lines, each with a number to type', async () => {
    const { text, pressables } = renderTerminal(await shown('demo k-means k=5'), {
      width: 80,
      paint: createPaint(false),
      picturePath: (id) => `/pictures/${id}.png`,
      sectionUrl: () => undefined,
      firstNumber: 1,
    });
    expect(text).toMatch(/Clusters k:\s+\[1\] 1\s+\[2\] 2.+‹5›/);
    expect(pressables[0]).toMatchObject({ label: 'Clusters k 1', call: { args: { k: '1' } } });
  });
});
