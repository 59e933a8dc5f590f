// Reply → HTML, purely: text is escaped by the template, Markdown is sanitised by the knowledge folder, calls are data.
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import { documentOf } from '../../../engine/index.ts';
import { overviewId, renderMarkdown } from '../../../knowledge/index.ts';
import type { Block, Button, Field, Option, Reply, SourceLink } from '../../chat/message.ts';

export interface RenderContext {
  /** Unique on the page and stable over edits: ids of the parts begin with it. */
  readonly idPrefix: string;
  /** Address a file of ours is downloaded from; undefined when it may not be. */
  fileHref(path: string): string | undefined;
  /** The guide's drawings, where they are at hand. */
  readonly drawings?: Drawings;
}

/** Markup of the guide's drawings, in the page's own colours. */
export interface Drawings {
  /** @returns undefined for a name the guide does not have. */
  diagram(name: string): Markup | undefined;
  /** @returns undefined where the formula has not been drawn yet. */
  formula(words: string): { readonly markup: Markup; readonly notes: readonly string[] } | undefined;
}

/** A piece of markup that is already safe. */
export type Markup = ReturnType<typeof html>;

type BlockOf<Kind extends Block['kind']> = Extract<Block, { kind: Kind }>;
type Renderers = { readonly [Kind in Block['kind']]: (block: BlockOf<Kind>, id: string, at: RenderContext) => Markup };

const renderers: Renderers = {
  text: (block) => html`<div class="prose">${raw(renderMarkdown(block.markdown, { linkTo: sectionHref }))}</div>`,
  buttons: ({ buttons }) =>
    html`<div class="${areLongChoices(buttons) ? 'buttons stacked' : 'buttons'}">${buttons.map(renderButton)}</div>`,
  select: renderSelect,
  form: renderForm,
  table: renderTable,
  picture: (block, id, { drawings }) => {
    if (block.of !== undefined && 'formula' in block.of) {
      const drawn = drawings?.formula(block.of.formula);
      if (drawn !== undefined) return renderFormula(drawn, block.alt);
    } else if (block.of !== undefined) {
      const drawn = drawings?.diagram(block.of.diagram);
      if (drawn !== undefined) return renderDiagram(drawn, block.alt);
    }
    const href = `/pictures/${encodeURIComponent(block.pictureId)}.png`;
    return html`<figure class="picture"><a href="${href}" target="_blank" rel="noopener"><img id="${id}-image" src="${href}" alt="${block.alt}" width="${block.width}" height="${block.height}" decoding="sync"><span class="visually-hidden"> (opens the full picture in a new tab)</span></a></figure>`;
  },
  progress: renderProgress,
  sources: (block, id) =>
    html`<section class="sources" aria-labelledby="${id}-title"><h3 id="${id}-title">Sources</h3><ol>${block.sources.map(renderSource)}</ol></section>`,
  file: (block, _id, at) => {
    const about = html`<span class="file-name">${block.name}</span> <span class="file-size">${formatBytes(block.bytes)}</span>`;
    const href = at.fileHref(block.path);
    return href === undefined
      ? html`<p class="file">${icons.file}<span>${about}</span></p>`
      : html`<a class="file" href="${href}" download="${block.name}">${icons.file}<span>${about}</span><span class="file-action">Download</span></a>`;
  },
};

/** @returns HTML that carries no script, style or handler, whatever the reply's texts hold. */
export function renderReply(reply: Reply, context: RenderContext): string {
  const counts = new Map<string, number>();
  // Numbered within its kind, a picture keeps its id when an edit puts a paragraph before it.
  const idOf = ({ kind }: Block) => {
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    return `${context.idPrefix}-${kind}${count}`;
  };
  return gatherDials(reply.blocks.map((block) => ({ block, markup: renderBlock(block, idOf(block), context) })));
}

/** Controls that follow each other stand in one panel. */
function gatherDials(parts: readonly { readonly block: Block; readonly markup: string }[]): string {
  const isDial = ({ block }: (typeof parts)[number]) => block.kind === 'select' && block.value !== undefined;
  return parts
    .map((part, index) => {
      if (!isDial(part)) return part.markup;
      const [before, after] = [parts[index - 1], parts[index + 1]];
      const open = before !== undefined && isDial(before) ? '' : '<div class="dials">';
      return open + part.markup + (after !== undefined && isDial(after) ? '' : '</div>');
    })
    .join('');
}

export function renderDiagram(drawn: Markup, alt: string): Markup {
  return html`<figure class="diagram" role="img" aria-label="${alt}">${drawn}</figure>`;
}

export function renderFormula(drawn: NonNullable<ReturnType<Drawings['formula']>>, words: string): Markup {
  const notes = drawn.notes.map((note) => html`<p>${note}</p>`);
  return html`<figure class="formula"><div class="formula-drawing" role="img" aria-label="${words}" tabindex="0">${drawn.markup}</div>${notes.length === 0 ? '' : html`<figcaption>${notes}</figcaption>`}</figure>`;
}

function renderBlock<Kind extends Block['kind']>(block: BlockOf<Kind>, id: string, context: RenderContext): string {
  // The table is keyed by the same `Kind`, which is why the call is well-typed.
  const render: Renderers[Kind] = renderers[block.kind as Kind];
  return String(render(block, id, context));
}

/** Address of a passage of a group's own document. */
export const passageHref = (documentId: string, number: number | string): string =>
  `/documents/${encodeURIComponent(documentId)}/${encodeURIComponent(number)}`;

export function sectionHref(chapterId: string, sectionId: string): string {
  const chapter = `/guide/${encodeURIComponent(chapterId)}`;
  return sectionId === overviewId ? chapter : `${chapter}#${encodeURIComponent(sectionId)}`;
}

export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB'] as const;
  const power = bytes < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** Choices of equal weight with long words stand below each other; actions beside a main one stay in a row. */
function areLongChoices(buttons: readonly Button[]): boolean {
  return buttons.some(({ label }) => label.length > 32) && buttons.every(({ style }) => style !== 'primary');
}

function renderButton(button: Button): Markup {
  return html`<button type="button" class="button ${button.style}" data-call="${JSON.stringify(button.call)}"${button.disabled ? raw(' disabled') : ''}>${button.label}</button>`;
}

function renderSelect(block: BlockOf<'select'>, id: string): Markup {
  if (block.value !== undefined) return renderDial(block, block.value, id);
  return html`<div class="select" data-call="${JSON.stringify(block.call)}" data-argument="${block.argument}">
<label for="${id}-choice">${block.label}</label>
<div class="select-row"><select id="${id}-choice">${block.options.map((option) => renderOption(option, ''))}</select>
<button type="button" class="button secondary" data-choose="${id}-choice">Choose</button></div></div>`;
}

/** A control that is turned: a slider over a scale's steps, or a list; a change is sent at once. */
function renderDial(block: BlockOf<'select'>, value: string, id: string): Markup {
  const call = html`data-call="${JSON.stringify(block.call)}" data-argument="${block.argument}"`;
  if (block.scale !== true) {
    return html`<div class="dial" ${call}><label for="${id}-choice">${block.label}</label><select id="${id}-choice">${block.options.map((option) => renderOption(option, value))}</select></div>`;
  }
  const at = Math.max(
    0,
    block.options.findIndex((option) => option.value === value),
  );
  const shown = block.options[at]?.label ?? value;
  return html`<div class="dial" ${call} data-options="${JSON.stringify(block.options.map(({ value, label }) => ({ value, label })))}"><label for="${id}-choice">${block.label}</label><input type="range" id="${id}-choice" min="0" max="${block.options.length - 1}" step="1" value="${at}" aria-valuetext="${shown}" autocomplete="off"><output for="${id}-choice">${shown}</output></div>`;
}

function renderOption(option: Option, selected: string): Markup {
  const text = option.description === undefined ? option.label : `${option.label} — ${option.description}`;
  return html`<option value="${option.value}"${option.value === selected ? raw(' selected') : ''}>${text}</option>`;
}

function renderForm(block: BlockOf<'form'>, id: string): Markup {
  const initial = new Map(block.fields.map((field) => [field.id, 'value' in field ? String(field.value ?? '') : '']));
  const signature = createHash('sha256').update(JSON.stringify(block)).digest('hex').slice(0, 16);
  return html`<form class="form" id="${id}" data-call="${JSON.stringify(block.call)}" data-signature="${signature}" aria-labelledby="${id}-title" novalidate>
<h3 id="${id}-title">${block.title}</h3>
<div class="fields">${block.fields.map((field) => renderField(field, id, isShown(field, initial)))}</div>
<p class="form-problem" role="alert" hidden></p>
<div class="buttons"><button type="submit" class="button primary">${block.submitLabel}</button></div></form>`;
}

function isShown(field: Field, values: ReadonlyMap<string, string>): boolean {
  return field.when === undefined || field.when.is.includes(values.get(field.when.field) ?? '');
}

function renderField(field: Field, formId: string, shown: boolean): Markup {
  const id = `${formId}-${field.id}`;
  const when = field.when
    ? html` data-when-field="${field.when.field}" data-when-is="${JSON.stringify(field.when.is)}"`
    : '';
  const described = html`${field.hint === undefined ? '' : `${id}-hint `}${id}-problem`;
  const common = html`id="${id}" name="${field.id}" aria-describedby="${described}"${field.required ? raw(' required') : ''}${shown ? '' : raw(' disabled')}`;
  const label = html`${field.label}${field.required ? '' : html` <span class="optional">optional</span>`}`;
  const notes = html`${field.hint === undefined ? '' : html`<p class="hint" id="${id}-hint">${field.hint}</p>`}<p class="problem" id="${id}-problem"></p>`;
  const wrap = (kind: string, inner: Markup) =>
    html`<div class="field ${kind}" data-field="${field.id}"${when}${shown ? '' : raw(' hidden')}>${inner}${notes}</div>`;
  const labelled = (inner: Markup) => html`<label for="${id}">${label}</label>${inner}`;

  switch (field.kind) {
    case 'text':
      return wrap(
        'text',
        labelled(
          html`<input type="text" ${common} value="${field.value ?? ''}" placeholder="${field.placeholder ?? ''}"${field.maxLength === undefined ? '' : html` maxlength="${field.maxLength}"`} autocomplete="off">`,
        ),
      );
    case 'number':
      return wrap(
        'number',
        labelled(
          html`<input type="number" ${common} value="${field.value}" min="${field.min}" max="${field.max}" step="${field.integer ? '1' : 'any'}" inputmode="${field.integer ? 'numeric' : 'decimal'}" autocomplete="off">`,
        ),
      );
    case 'choice':
      return field.options.length <= 3
        ? wrap('choice', renderCards(field, id, described, shown, label))
        : wrap(
            'choice',
            labelled(
              html`<select ${common}>${field.options.map((option) => renderOption(option, field.value))}</select>`,
            ),
          );
    case 'choices':
      return wrap('choices', renderCards(field, id, described, shown, label));
    case 'file':
      return wrap(
        'upload',
        labelled(
          html`<div class="drop"><input type="file" ${common} accept="${field.accept.join(',')}" data-max-bytes="${field.maxBytes}"><p class="drop-text">Drop a file here or press to choose one. Up to ${formatBytes(field.maxBytes)}.</p></div>`,
        ),
      );
  }
}

/** Radio buttons where one may be chosen, check boxes where any number may. */
function renderCards(
  field: Extract<Field, { kind: 'choice' | 'choices' }>,
  id: string,
  described: Markup,
  shown: boolean,
  label: Markup,
): Markup {
  const several = field.kind === 'choices';
  const chosen = several ? field.value : [field.value];
  const least = several && field.required ? raw(' data-least="1"') : '';
  return html`<fieldset id="${id}"${least} aria-describedby="${described}"${shown ? '' : raw(' disabled')}><legend>${label}</legend><div class="cards">${field.options.map(
    (option) =>
      html`<label class="choice-card"><input type="${several ? 'checkbox' : 'radio'}" name="${field.id}" value="${option.value}"${chosen.includes(option.value) ? raw(' checked') : ''}><span><span class="choice-label">${option.label}</span>${option.description === undefined ? '' : html`<span class="choice-description">${option.description}</span>`}</span></label>`,
  )}</div></fieldset>`;
}

function renderTable(block: BlockOf<'table'>, id: string): Markup {
  const align = (index: number) => (block.columns[index]?.align === 'right' ? raw(' class="right"') : '');
  return html`<div class="table" role="region" aria-labelledby="${id}-caption" tabindex="0"><table>
<caption id="${id}-caption">${block.caption}</caption>
<thead><tr>${block.columns.map((column, index) => html`<th scope="col"${align(index)}>${column.label}</th>`)}</tr></thead>
<tbody>${block.rows.map((row) => html`<tr>${row.map((cell, index) => html`<td${align(index)}>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

function renderProgress(block: BlockOf<'progress'>, id: string): Markup {
  const percent = Math.round(Math.min(1, Math.max(0, block.fraction || 0)) * 100);
  return html`<div class="progress"><p class="progress-head"><span id="${id}-label">${block.label}</span><span class="percent">${percent}%</span></p>
<progress role="progressbar" max="100" value="${percent}" aria-labelledby="${id}-label" aria-describedby="${id}-detail"></progress>
<p class="detail" id="${id}-detail">${block.detail}</p></div>`;
}

function renderSource(source: SourceLink): Markup {
  const quote = source.quote === '' ? '' : html`<q>${source.quote}</q>`;
  const documentId = documentOf(source.chapterId);
  const href =
    documentId === undefined
      ? sectionHref(source.chapterId, source.sectionId)
      : passageHref(documentId, source.sectionId);
  return html`<li><a href="${href}" target="_blank" rel="noopener">${source.title}<span class="visually-hidden"> (opens in a new tab)</span></a>${quote}</li>`;
}

const icon = (path: string) =>
  html`<svg class="icon" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${raw(path)}</svg>`;

/** The few line drawings of the page; their paths are ours, so they may be raw. */
export const icons = {
  file: icon('<path d="M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8z"/><path d="M14 3v5h5"/>'),
  attach: icon(
    '<path d="m20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7L9.4 17a1.7 1.7 0 0 1-2.4-2.4L14.5 7"/>',
  ),
  send: icon('<path d="M12 19V5"/><path d="m6 11 6-6 6 6"/>'),
  guide: icon(
    '<path d="M4 5a2 2 0 0 1 2-2h5v16H6a2 2 0 0 0-2 2z"/><path d="M20 5a2 2 0 0 0-2-2h-5v16h5a2 2 0 0 1 2 2z"/>',
  ),
  plus: icon('<path d="M12 5v14M5 12h14"/>'),
  chats: icon('<path d="M12 7v5l3 2"/><circle cx="12" cy="12" r="8.5"/>'),
  sun: icon(
    '<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4"/>',
  ),
  moon: icon('<path d="M20 14.5A8.5 8.5 0 1 1 9.5 4a6.8 6.8 0 0 0 10.5 10.5z"/>'),
  question: icon(
    '<path d="M4 12a8 8 0 1 1 3.2 6.4L4 20l1-3.6A8 8 0 0 1 4 12z"/><path d="M9.8 9.8a2.3 2.3 0 1 1 3.2 2.1c-.7.3-1 .7-1 1.5M12 16h.01"/>',
  ),
  quiz: icon('<path d="m4 7 1.5 1.5L8 6M4 16l1.5 1.5L8 15M12 7h8M12 16h8"/>'),
  tune: icon('<path d="M4 20V4"/><path d="M4 20h16"/><path d="M7 7c3 0 3 8 7 8.5 2.2.3 4 .5 6 .5"/>'),
  down: icon('<path d="M12 5v14"/><path d="m6 13 6 6 6-6"/>'),
} as const;
