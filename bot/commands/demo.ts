// demo: a small computation of a concept, its picture, and controls that change both in the same message.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Control, Demos, DemoView } from '../../engine/index.ts';
import { defineCommand, typedNumber } from '../chat/command.ts';
import type { Block, Call, Option, Reply } from '../chat/message.ts';
import { button, buttons, reply, text } from '../chat/reply.ts';

export const demo = defineCommand({
  name: 'demo',
  summary: 'see a concept at work, and turn its knobs',
  usage: 'demo [name] [control=value …]',
  examples: ['demo', 'demo overfitting', 'demo overfitting degree=3 noise=0.5'],
  args: z
    .object({
      demo: z.string().trim().min(1).max(200).optional(),
      /** `control=value …`, as typed into a platform's own form. */
      settings: z.string().max(1000).optional(),
      seed: typedNumber(z.number().int().min(0).max(999_999).default(1)),
      /** Which message is changed; a new one without it. */
      card: z.string().max(40).optional(),
    })
    .catchall(z.union([z.string().max(2000), z.number()])),
  parse: (rest) => {
    const { words, settings } = readSettings(rest);
    const name = words.replace(/^((me|of|on|for|about|the|a|an)\b\s*)+/i, '').trim();
    return { ...(name === '' ? {} : { demo: name }), ...settings };
  },
  // "demo day is on Friday, how do I prepare?" is a question.
  isMeant: (rest) => rest.includes('=') || (!rest.includes('?') && rest.split(/\s+/).length <= 6),
  async *execute({ demo: name, settings, seed, card, ...given }, { engine, incoming }) {
    if (name === undefined) {
      yield gallery(engine.demos);
      return;
    }
    const typed = settings === undefined ? {} : readSettings(settings).settings;
    const view = await engine.demos.play(name, { ...given, ...typed }, seed);
    yield show(view, card ?? createHash('sha256').update(incoming.key).digest('base64url').slice(0, 10));
  },
});

/** `overfitting degree=3 text="two words"` → the words and the settings. */
function readSettings(line: string): { words: string; settings: { readonly [name: string]: string } } {
  const pattern = /([a-z][\w-]*)\s*=\s*("[^"]*"|'[^']*'|[^\s,;]*)[,;]?/gi;
  const settings = Object.fromEntries(
    [...line.matchAll(pattern)].map(([, name = '', value = '']) => [name, value.replace(/^(["'])(.*)\1$/s, '$2')]),
  );
  return { words: line.replace(pattern, ' ').replace(/\s+/g, ' ').trim(), settings };
}

function gallery({ list }: Pick<Demos, 'list'>): Reply {
  const chapters = new Map<string, string[]>();
  for (const { chapterTitle, id, summary } of list) {
    chapters.set(chapterTitle, [...(chapters.get(chapterTitle) ?? []), `- \`demo ${id}\`: ${summary}`]);
  }
  const listed = [...chapters].map(([title, lines]) => `**${title}**\n${lines.join('\n')}`);
  return reply(
    text(
      `**Live demos.** Each computes something small, draws it, and lets you turn the knobs.\n\n${listed.join('\n\n')}`,
    ),
    {
      kind: 'select',
      label: 'Which one shall I run?',
      options: list.map(({ id, title }) => ({ label: title, value: id })),
      call: { command: 'demo', args: {} },
      argument: 'demo',
    },
  );
}

function show(view: DemoView, card: string): Reply {
  const call = callFor(view, card, view.seed);
  const words = view.controls.filter(({ control }) => control.kind === 'text');
  const blocks: Block[] = [
    { kind: 'picture', pictureId: view.picture.id, ...sizeOf(view), alt: view.picture.alt },
    text(view.markdown),
    { kind: 'sources', sources: view.sources.map((source) => ({ ...source, quote: '' })) },
    ...view.controls.flatMap(({ name, control, value }) => drawControl(name, control, String(value), call)),
  ];
  if (words.length > 0) {
    blocks.push({
      kind: 'form',
      title: 'Your own words',
      submitLabel: 'Show',
      call,
      fields: words.flatMap(({ name, control, value }) =>
        control.kind !== 'text'
          ? []
          : [
              {
                kind: 'text' as const,
                id: name,
                label: control.label,
                required: true,
                value: String(value),
                maxLength: control.maxLength,
              },
            ],
      ),
    });
  }
  blocks.push(
    buttons(
      ...(view.seeded ? [button('New data', callFor(view, card, view.seed + 1), 'primary')] : []),
      button('Start over', { command: 'demo', args: { demo: view.id, card } }),
      button('All demos', { command: 'demo', args: {} }),
    ),
  );
  return { ...reply(...blocks), slot: `demo:${card}` };
}

/** Pictures are drawn at twice their size, for sharp text. */
const sizeOf = ({ picture: { width, height } }: DemoView) => ({ width, height });

/** Runs the same demo in the same message; only what was changed is said, so that it fits a button. */
function callFor({ id, controls }: DemoView, card: string, seed: number): Call {
  const changed = controls.filter(({ control, value }) => value !== control.standard);
  return {
    command: 'demo',
    args: { demo: id, card, seed, ...Object.fromEntries(changed.map(({ name, value }) => [name, value])) },
  };
}

function drawControl(name: string, control: Control, value: string, call: Call): readonly Block[] {
  const base = { kind: 'select', label: control.label, call, argument: name, value } as const;
  switch (control.kind) {
    case 'text':
      return [];
    case 'choice':
      return [{ ...base, options: Object.entries(control.options).map(([key, label]) => ({ label, value: key })) }];
    case 'number':
      return [{ ...base, scale: true, options: steps(control, Number(value)) }];
  }
}

/** The offered values, with the present one among them. */
function steps({ stops }: Extract<Control, { kind: 'number' }>, value: number): readonly Option[] {
  return [...new Set([...stops, value])]
    .sort((a, b) => a - b)
    .map((step) => ({ label: step.toLocaleString('en-US', { maximumSignificantDigits: 6 }), value: String(step) }));
}
