import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { Block, Incoming, Reply } from '../bot/chat/message.ts';
import { button, buttons, reply, text } from '../bot/chat/reply.ts';
import { createPaint } from '../bot/fronts/terminal/paint.ts';
import { renderReply } from '../bot/fronts/terminal/render.ts';
import { createFakeEngine } from './support/fake-engine.ts';
import { createTerminalHarness } from './support/terminal-harness.ts';

const draw = (blocks: readonly Block[], { width = 60, colours = false, firstNumber = 1 } = {}) =>
  renderReply(reply(...blocks), {
    width,
    paint: createPaint(colours),
    picturePath: (id) => `/data/pictures/${id}.png`,
    sectionUrl: (chapter, section) => `http://127.0.0.1:3000/guide/${chapter}#${section}`,
    firstNumber,
  });

describe('a reply on the terminal', () => {
  it('keeps within the width, whatever is in it', () => {
    const long = 'word '.repeat(60) + 'x'.repeat(200) + ' 漢字'.repeat(60);
    const blocks: Block[] = [
      text(`${long}\n\n- ${long}\n- b\n\n> ${long}\n\n1. ${long}\n\n| a | b |\n|---|--:|\n| ${long} | 1 |`),
      {
        kind: 'table',
        caption: 'T',
        columns: [
          { label: 'a', align: 'left' },
          { label: 'n', align: 'right' },
        ],
        rows: [[long, '12']],
      },
      { kind: 'progress', label: 'step', fraction: 2, detail: long },
      { kind: 'sources', sources: [{ chapterId: 'c', sectionId: 's', title: long, quote: long }] },
      buttons(button(long, { command: 'x', args: {} })),
    ];
    for (const width of [30, 60, 100]) {
      const lines = draw(blocks, { width })
        .text.split('\n')
        .filter((line) => !line.includes('http://'));
      expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(width);
    }
  });

  it('aligns columns, numbers to the right', () => {
    const { text: drawn } = draw([
      {
        kind: 'table',
        caption: '',
        columns: [
          { label: 'Run', align: 'left' },
          { label: 'Accuracy', align: 'right' },
        ],
        rows: [
          ['run-1', '87.5 %'],
          ['run-12', '–'],
        ],
      },
    ]);
    expect(drawn.split('\n')).toEqual(['Run     Accuracy', '──────  ────────', 'run-1     87.5 %', 'run-12         –']);
  });

  it('numbers what can be pressed, from the number it is given', () => {
    const call = { command: 'runs', args: {} };
    const drawn = draw(
      [buttons(button('Stop', call, 'danger'), { ...button('Off', call), disabled: true }, button('Go', call))],
      { firstNumber: 7 },
    );
    expect(drawn.text).toBe('[7] Stop   (Off)   [8] Go');
    expect(drawn.pressables.map(({ label }) => label)).toEqual(['Stop', 'Go']);
  });

  it('shows a picture as its words and where it lies, a source with its address', () => {
    const drawn = draw([
      { kind: 'picture', pictureId: 'abc', width: 1, height: 1, alt: 'Loss falls' },
      {
        kind: 'sources',
        sources: [{ chapterId: 'peft', sectionId: 'rank', title: 'PEFT › Rank', quote: 'r is small' }],
      },
    ]).text;
    expect(drawn).toContain('▦ Loss falls\n  /data/pictures/abc.png');
    expect(drawn).toContain('PEFT › Rank');
    expect(drawn).toContain('http://127.0.0.1:3000/guide/peft#rank');
  });

  it('marks what only this person sees', () => {
    const whisper: Reply = { ...reply(text('psst')), audience: 'asker' };
    const options = {
      width: 40,
      paint: createPaint(false),
      picturePath: String,
      sectionUrl: () => undefined,
      firstNumber: 1,
    };
    expect(renderReply(whisper, options).text).toBe('(only you see this)\n\npsst');
  });

  it('has no escape sequence without colours, and only styling ones with them', () => {
    const evil = 'a\u001B]0;title\u0007b\u001B[2Jc\u009B31md\re\u0008f';
    const blocks: Block[] = [
      text(`**${evil}** \`${evil}\` <b>${evil}</b>\n\n    ${evil}`),
      { kind: 'table', caption: evil, columns: [{ label: evil, align: 'left' }], rows: [[evil]] },
      { kind: 'progress', label: evil, fraction: 0.3, detail: evil },
      { kind: 'picture', pictureId: 'p', width: 1, height: 1, alt: evil },
      { kind: 'file', path: evil, name: evil, bytes: 3 },
      { kind: 'sources', sources: [{ chapterId: 'c', sectionId: 's', title: evil, quote: evil }] },
      {
        kind: 'select',
        label: evil,
        options: [{ label: evil, value: 'v', description: evil }],
        call: { command: 'x', args: {} },
        argument: 'a',
      },
      {
        kind: 'form',
        title: evil,
        submitLabel: evil,
        call: { command: 'x', args: {} },
        fields: [{ kind: 'text', id: 't', label: evil, required: false }],
      },
      buttons(button(evil, { command: 'x', args: {} })),
    ];
    const control = /(?!\n)\p{Cc}/u;
    expect(draw(blocks).text).not.toMatch(control);
    const styling = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
    expect(draw(blocks, { colours: true }).text.replace(styling, '')).not.toMatch(control);
  });
});

async function openTerminal(options: Parameters<typeof createTerminalHarness>[1]) {
  const harness = await createTerminalHarness(createFakeEngine(), options);
  const received: Incoming[] = [];
  await harness.start(async (incoming) => {
    received.push(incoming);
  });
  const show = (shown: Reply) => harness.front.deliver(harness.place, shown, { id: 'contract', name: '' });
  const card = (step: number, label = 'Stop'): Reply => ({
    ...reply(
      { kind: 'progress', label: 'training', fraction: step / 100, detail: `step ${step}` },
      buttons(button(label, { command: 'runs', args: { step } })),
    ),
    slot: 'card',
  });
  return { harness, received, show, card };
}

describe('the terminal', () => {
  it('redraws a card while it is the last message, and the typed line stays', async () => {
    const { harness, show, card } = await openTerminal({ rows: 30 });
    await show(card(1));
    await show(card(2));
    await show(card(3));
    const screen = await harness.transcript();
    expect(screen.match(/step \d/g)).toEqual(['step 3']);
    expect(screen.split('\n').at(-1)).toMatch(/^›/);
    await harness.stop();
  });

  it('prints a card again only when it has moved on by a tenth, once something else stands below it or there is no screen', async () => {
    for (const isTTY of [true, false]) {
      const { harness, show, card } = await openTerminal({ isTTY });
      await show(card(1));
      await show(reply(text('something else')));
      for (let step = 2; step < 25; step++) await show({ ...card(step), blocks: card(step).blocks.slice(0, 1) });
      const steps = (await harness.transcript()).match(/step \d+/g) ?? [];
      expect(steps.length).toBeLessThanOrEqual(isTTY ? 5 : 4);
      expect(steps[0]).toBe('step 1');
      await harness.stop();
    }
  });

  it('a number never comes to mean something else', async () => {
    const { harness, received, show, card } = await openTerminal({});
    await show(card(1, 'Stop'));
    await show(reply(buttons(button('Quiz', { command: 'quiz', args: {} }))));
    await show(card(99, 'Try it'));
    harness.type('2');
    await expect.poll(() => received.length).toBe(1);
    expect(received[0]).toMatchObject({ kind: 'action', call: { command: 'quiz' } });
    harness.type('try it');
    await expect.poll(() => received.length).toBe(2);
    expect(received[1]).toMatchObject({ kind: 'action', call: { command: 'runs', args: { step: 99 } } });
    await harness.stop();
  });

  it('asks a form field by field, refuses a wrong value and can be given up', async () => {
    const { harness, received, show } = await openTerminal({ isTTY: false });
    await show(
      reply({
        kind: 'form',
        title: 'Train',
        submitLabel: 'Go',
        call: { command: 'finetune', args: {} },
        fields: [
          { kind: 'number', id: 'rank', label: 'Rank', required: true, value: 8, min: 1, max: 64, integer: true },
          { kind: 'file', id: 'file', label: 'File', required: false, accept: ['.csv'], maxBytes: 10 },
        ],
      }),
    );
    for (const line of ['1', '0', 'many', '2.5', '4', '/no/such/file.csv', 'package.json', '']) harness.type(line);
    await expect.poll(() => received.length).toBe(1);
    expect(received[0]).toMatchObject({ kind: 'form', values: { rank: '4' } });
    const screen = await harness.transcript();
    expect(screen.match(/whole number from 1 to 64/g)).toHaveLength(3);
    expect(screen).toContain('There is no file /no/such/file.csv');
    expect(screen).toContain('It must end in .csv');
    for (const line of ['1', '/cancel']) harness.type(line);
    await expect.poll(() => harness.transcript()).toContain('nothing was sent');
    expect(received).toHaveLength(1);
    await harness.stop();
  });

  it('reads files only for finetune', async () => {
    const { harness, received } = await openTerminal({ isTTY: false });
    harness.type('what is in package.json');
    harness.type('finetune package.json');
    await expect.poll(() => received.length).toBe(2);
    expect(
      received.map((incoming) => incoming.kind === 'message' && incoming.attachments.map(({ name }) => name)),
    ).toEqual([[], ['package.json']]);
    await harness.stop();
  });
});
