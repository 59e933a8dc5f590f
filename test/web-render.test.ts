// Reply → HTML, read back by a real HTML parser: every kind of block, and nothing in its texts ever comes alive.
import type { Element } from 'hast';
import { fromHtml } from 'hast-util-from-html';
import { select, selectAll } from 'hast-util-select';
import { toText } from 'hast-util-to-text';
import { describe, expect, it } from 'vitest';
import type { Block, Field } from '../bot/chat/message.ts';
import { createDownloads } from '../bot/fronts/web/downloads.ts';
import { renderMessage } from '../bot/fronts/web/messages.ts';
import { formatBytes, renderReply, sectionHref } from '../bot/fronts/web/render.ts';

const context = { idPrefix: 'm1', fileHref: createDownloads('/data').hrefOf };
const html = (...blocks: readonly Block[]) => renderReply({ audience: 'everyone', blocks }, context);
const parse = (...blocks: readonly Block[]) => fromHtml(html(...blocks), { fragment: true });
const one = (selector: string, ...blocks: readonly Block[]): Element => {
  const found = select(selector, parse(...blocks));
  if (found === undefined) throw new Error(`no ${selector} in ${html(...blocks)}`);
  return found;
};
const words = (element: Element | undefined) => (element === undefined ? undefined : toText(element).trim());

const whole = { id: 'f', label: 'Field', required: true };
const field = (given: Partial<Field> & Pick<Field, 'kind'>): Field =>
  ({
    ...whole,
    ...{ value: '', options: [], accept: [], maxBytes: 1, min: 0, max: 1, integer: false },
    ...given,
  }) as Field;
const form = (...fields: readonly Field[]): Block => ({
  kind: 'form',
  title: 'A form',
  submitLabel: 'Go',
  call: { command: 'c', args: { kept: 1 } },
  fields,
});

describe('a reply in the web page', () => {
  it('shows Markdown, with links into the guide going to its pages', () => {
    const block: Block = { kind: 'text', markdown: '**bold** `code` [see](guide:peft#lora)\n\n| a |\n| - |\n| 1 |' };
    expect(words(one('strong', block))).toBe('bold');
    expect(words(one('code', block))).toBe('code');
    expect(one('a', block).properties.href).toBe('/guide/peft#lora');
    expect(words(one('td', block))).toBe('1');
  });

  it('carries a call as data in each button, and marks the disabled one', () => {
    const call = { command: 'quiz', args: { choice: '"><b>' } };
    const found = selectAll(
      'button',
      parse({
        kind: 'buttons',
        buttons: [
          { label: 'Yes', style: 'primary', call },
          { label: 'No', style: 'danger', call, disabled: true },
        ],
      }),
    );
    expect(found.map((button) => [words(button), button.properties.disabled === true])).toEqual([
      ['Yes', false],
      ['No', true],
    ]);
    expect(JSON.parse(String(found[0]?.properties.dataCall))).toEqual(call);
  });

  it('labels a select and says which argument it fills', () => {
    const block: Block = {
      kind: 'select',
      label: 'Pick',
      argument: 'fruit',
      call: { command: 'eat', args: {} },
      options: [{ label: 'Apple', value: 'a', description: 'red' }],
    };
    expect(one('label', block).properties.htmlFor).toEqual([one('select', block).properties.id]);
    expect(one('.select', block).properties.dataArgument).toBe('fruit');
    expect(words(one('option', block))).toBe('Apple — red');
  });

  it('gives every field of a form a label, its bounds and its initial value', () => {
    const number = form(field({ kind: 'number', id: 'rate', label: 'Rate', value: 0.0005, min: 0, max: 1 }));
    const input = one('input', number);
    expect(input.properties).toMatchObject({
      type: 'number',
      name: 'rate',
      value: '0.0005',
      min: '0',
      max: '1',
      step: 'any',
    });
    expect(one('label', number).properties.htmlFor).toEqual([input.properties.id]);

    const text = one('input', form(field({ kind: 'text', value: 'a"b', maxLength: 9, required: false })));
    expect(text.properties).toMatchObject({ type: 'text', value: 'a"b' });
    expect(text.properties.required).toBeUndefined();

    const file = one('input', form(field({ kind: 'file', accept: ['.csv', '.tsv'], maxBytes: 99 })));
    expect(file.properties).toMatchObject({ type: 'file', dataMaxBytes: '99' });

    const options = ['a', 'b', 'c', 'd'].map((value) => ({ label: value.toUpperCase(), value }));
    const few = parse(form(field({ kind: 'choice', value: 'b', options: options.slice(0, 2), label: 'Which' })));
    expect(words(select('legend', few))).toBe('Which');
    expect(select('input:checked', few)?.properties.value).toBe('b');
    const many = parse(form(field({ kind: 'choice', value: 'd', options })));
    expect(select('option[selected]', many)?.properties.value).toBe('d');
  });

  it('hides and disables a field whose condition does not hold', () => {
    const method = field({
      kind: 'choice',
      id: 'method',
      value: 'full',
      options: [
        { label: 'Full', value: 'full' },
        { label: 'LoRA', value: 'lora' },
      ],
    });
    const rank = field({ kind: 'number', id: 'rank', value: 8, when: { field: 'method', is: ['lora'] } });
    const shown = { ...rank, id: 'epochs', when: { field: 'method', is: ['full'] } };
    const page = parse(form(method, rank, shown));
    expect(select('[data-field=rank]', page)?.properties.hidden).toBe(true);
    expect(select('[name=rank]', page)?.properties.disabled).toBe(true);
    expect(select('[data-field=epochs]', page)?.properties.hidden).toBeUndefined();
    expect(select('[name=epochs]', page)?.properties.disabled).toBeUndefined();
  });

  it('captions a table and aligns its numbers', () => {
    const block: Block = {
      kind: 'table',
      caption: 'Scores',
      columns: [
        { label: 'class', align: 'left' },
        { label: 'F1', align: 'right' },
      ],
      rows: [['good', '0.9']],
    };
    expect(words(one('caption', block))).toBe('Scores');
    expect(selectAll('th[scope=col]', parse(block)).map(words)).toEqual(['class', 'F1']);
    expect(selectAll('td.right', parse(block)).map(words)).toEqual(['0.9']);
  });

  it('shows a picture at its size with its words, linked to the full one', () => {
    const block: Block = {
      kind: 'picture',
      pictureId: 'a'.repeat(64),
      width: 640,
      height: 360,
      alt: 'A "falling" line',
    };
    expect(one('img', block).properties).toMatchObject({ alt: 'A "falling" line', width: 640, height: 360 });
    expect(one('a', block).properties.href).toBe(`/pictures/${'a'.repeat(64)}.png`);
  });

  it.each([
    [0.424, 42],
    [-1, 0],
    [7, 100],
    [Number.NaN, 0],
  ])('shows progress of %s as %i of 100', (fraction, value) => {
    const block: Block = { kind: 'progress', label: 'Epoch 1', fraction, detail: '14 s left' };
    expect(one('[role=progressbar]', block).properties).toMatchObject({ value: String(value), max: '100' });
    expect(words(one('.progress', block))).toContain(`${value}%`);
  });

  it('links each source to its section', () => {
    const source = { chapterId: 'peft', sectionId: 'lora', title: 'PEFT › LoRA', quote: 'Small matrices.' };
    const link = one('.sources a', { kind: 'sources', sources: [source] });
    expect(link.properties.href).toBe('/guide/peft#lora');
    expect(words(link)).toContain('PEFT › LoRA');
    expect(sectionHref('peft', 'overview')).toBe('/guide/peft');
  });

  it('offers a file of a run for download, and no other file', () => {
    const file = (path: string): Block => ({ kind: 'file', path, name: 'model.safetensors', bytes: 2048 });
    expect(one('a', file('/data/runs/7/a b.bin')).properties.href).toBe('/files/7/a%20b.bin');
    expect(one('a', file('runs/7/x.bin')).properties.href).toBe('/files/7/x.bin');
    for (const path of ['/etc/passwd', 'db/secret', 'runs/../db/secret', '../runs/x', 'runs'])
      expect(selectAll('a', parse(file(path)))).toEqual([]);
  });

  it('keeps the id of a picture when an edit puts a paragraph before it', () => {
    const picture: Block = { kind: 'picture', pictureId: 'a', width: 1, height: 1, alt: '' };
    const id = one('img', picture).properties.id;
    expect(one('img', { kind: 'text', markdown: 'news' }, picture).properties.id).toBe(id);
  });

  it('keeps the ids of its parts over an edit', () => {
    const progress = (fraction: number): Block => ({ kind: 'progress', label: 'p', fraction, detail: '' });
    const ids = (block: Block) => selectAll('[id]', parse(block)).map((element) => element.properties.id);
    expect(ids(progress(0.1))).toEqual(ids(progress(0.9)));
  });
});

const attacks = [
  '<script>boom()</script>',
  '<img src=x onerror=boom()>',
  '"><svg onload=boom()>',
  "' onfocus=boom() autofocus x='",
  '</textarea></select></title><iframe src=javascript:boom()>',
  '[x](javascript:boom()) <a href="data:text/html,x">y</a> <style>*{display:none}</style>',
  '{{constructor.constructor("boom()")()}} <!--',
];

describe('a hostile text', () => {
  it.each(attacks)('stays text in every field that carries one: %s', (evil) => {
    const call = { command: evil, args: { [evil]: evil } };
    const options = [{ label: evil, value: evil, description: evil }];
    const many = Array.from({ length: 4 }, () => options).flat();
    const when = { field: evil, is: [evil] };
    const blocks: Block[] = [
      { kind: 'text', markdown: evil },
      { kind: 'buttons', buttons: [{ label: evil, style: 'primary', call }] },
      { kind: 'select', label: evil, options, call, argument: evil },
      {
        kind: 'form',
        title: evil,
        submitLabel: evil,
        call,
        fields: [
          field({ kind: 'text', id: evil, label: evil, hint: evil, value: evil, placeholder: evil, when }),
          field({ kind: 'number', id: evil, label: evil, hint: evil, value: 1 }),
          field({ kind: 'choice', id: evil, label: evil, hint: evil, value: evil, options }),
          field({ kind: 'choice', id: evil, label: evil, value: evil, options: many }),
          field({ kind: 'file', id: evil, label: evil, hint: evil, accept: [evil] }),
        ],
      },
      { kind: 'table', caption: evil, columns: [{ label: evil, align: 'left' }], rows: [[evil]] },
      { kind: 'picture', pictureId: evil, width: 1, height: 1, alt: evil },
      { kind: 'progress', label: evil, fraction: 0.5, detail: evil },
      { kind: 'sources', sources: [{ chapterId: evil, sectionId: evil, title: evil, quote: evil }] },
      { kind: 'file', path: `runs/${evil}`, name: evil, bytes: 1 },
      { kind: 'file', path: evil, name: evil, bytes: 1 },
    ];
    const person = {
      id: 2,
      personId: 'p',
      slot: `said:${evil}`,
      externalId: undefined,
      visibleTo: undefined,
      content: { text: evil + 'x'.repeat(2000) + evil, attachments: [{ name: evil, bytes: 1 }] },
      createdAt: new Date(0),
      updatedAt: new Date(0),
    };
    const page = fromHtml(html(...blocks) + renderMessage(person, { fileHref: () => undefined }), { fragment: true });
    const all = selectAll('*', page);
    expect(all.length).toBeGreaterThan(60);
    for (const element of all) {
      expect(element.tagName).not.toMatch(/^(script|iframe|style|object|embed|link|meta|base)$/);
      for (const name of Object.keys(element.properties)) expect(name).not.toMatch(/^(on|style$|srcDoc|autoFocus)/i);
      for (const name of ['href', 'src', 'action', 'formAction'])
        expect(String(element.properties[name] ?? '')).not.toMatch(/^\s*(javascript|data|vbscript):/i);
    }
    // The pictures are ours, and ours only.
    expect(selectAll('img', page).map(({ properties }) => String(properties.src))).toEqual([
      `/pictures/${encodeURIComponent(evil)}.png`,
    ]);
    expect(selectAll('svg', page).every(({ properties }) => properties.ariaHidden === 'true')).toBe(true);
    // And the words are all still there to read.
    expect(words(select('caption', page))?.replace(/\s+/g, ' ')).toBe(evil.replace(/\s+/g, ' ').trim());
  });
});

describe('a size', () => {
  it.each([
    [0, '0 bytes'],
    [1023, '1023 bytes'],
    [2048, '2.0 KB'],
    [52_428_800, '50 MB'],
    [3 * 1024 ** 4, '3072 GB'],
  ])('of %i is written %s', (bytes, written) => expect(formatBytes(bytes)).toBe(written));
});
