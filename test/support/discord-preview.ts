// Draws what Discord would show for a message, as HTML: its markdown, Components V2, modals. Close enough to judge layout,
// and to read what a person can perceive. Knows nothing of the code under test.
import { fromHtml } from 'hast-util-from-html';
import { toText } from 'hast-util-to-text';
import { z } from 'zod';

/** One component, whatever its kind; unknown parts stay unread. */
export interface Component {
  readonly type: number;
  readonly content?: string | undefined;
  readonly label?: string | undefined;
  readonly description?: string | undefined;
  readonly style?: number | undefined;
  readonly custom_id?: string | undefined;
  readonly url?: string | undefined;
  readonly disabled?: boolean | undefined;
  readonly placeholder?: string | undefined;
  readonly required?: boolean | undefined;
  readonly value?: string | undefined;
  readonly max_values?: number | undefined;
  readonly accent_color?: number | null | undefined;
  readonly divider?: boolean | undefined;
  readonly options?: readonly Option[] | undefined;
  readonly items?:
    | readonly { readonly media: { readonly url: string }; readonly description?: string | undefined }[]
    | undefined;
  readonly file?: { readonly url: string } | undefined;
  readonly components?: readonly Component[] | undefined;
  readonly accessory?: Component | undefined;
  readonly component?: Component | undefined;
}
interface Option {
  readonly label: string;
  readonly value: string;
  readonly description?: string | undefined;
  readonly default?: boolean | undefined;
}

const componentSchema: z.ZodType<Component> = z.lazy(() =>
  z.object({
    type: z.number(),
    content: z.string().optional(),
    label: z.string().optional(),
    description: z.string().optional(),
    style: z.number().optional(),
    custom_id: z.string().optional(),
    url: z.string().optional(),
    disabled: z.boolean().optional(),
    placeholder: z.string().optional(),
    required: z.boolean().optional(),
    value: z.string().optional(),
    max_values: z.number().optional(),
    accent_color: z.number().nullish(),
    divider: z.boolean().optional(),
    options: z
      .array(
        z.object({
          label: z.string(),
          value: z.string(),
          description: z.string().optional(),
          default: z.boolean().optional(),
        }),
      )
      .optional(),
    items: z.array(z.object({ media: z.object({ url: z.string() }), description: z.string().optional() })).optional(),
    file: z.object({ url: z.string() }).optional(),
    components: z.array(componentSchema).optional(),
    accessory: componentSchema.optional(),
    component: componentSchema.optional(),
  }),
);

export function readComponents(given: readonly unknown[]): readonly Component[] {
  return z.array(componentSchema).parse(given);
}

/** Every component, depth first. */
export function walk(components: readonly Component[]): readonly Component[] {
  return components.flatMap((it) => [
    it,
    ...walk(it.components ?? []),
    ...walk(it.accessory === undefined ? [] : [it.accessory]),
    ...walk(it.component === undefined ? [] : [it.component]),
  ]);
}

export interface Shown {
  readonly content?: string;
  readonly components: readonly unknown[];
  readonly attachments?: readonly { readonly filename: string; readonly url: string; readonly bytes?: Buffer }[];
}

const escapeHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export function drawMessage({ content = '', components, attachments = [] }: Shown): string {
  const source = (url: string) => {
    const name = url.replace('attachment://', '');
    const found = attachments.find(({ filename }) => filename === name);
    return found?.bytes === undefined ? (found?.url ?? url) : `data:image/png;base64,${found.bytes.toString('base64')}`;
  };
  const words = content === '' ? '' : `<div class="text">${drawMarkdown(content)}</div>`;
  return (
    words +
    readComponents(components)
      .map((it) => draw(it, source))
      .join('')
  );
}

const buttonStyles = ['', 'primary', 'secondary', 'success', 'danger', 'link'];

function draw(it: Component, source: (url: string) => string): string {
  const inside = () => (it.components ?? []).map((one) => draw(one, source)).join('');
  switch (it.type) {
    case 1:
      return `<div class="row">${inside()}</div>`;
    case 2:
      return `<button class="button ${buttonStyles[it.style ?? 2]}"${it.disabled ? ' disabled' : ''}>${escapeHtml(it.label ?? '')}${it.style === 5 ? ' ↗' : ''}</button>`;
    case 3: {
      const chosen = it.options?.find((option) => option.default);
      const list = (it.options ?? [])
        .map(
          (option) =>
            `<li><b>${escapeHtml(option.label)}</b> <small>${escapeHtml(option.description ?? '')}</small></li>`,
        )
        .join('');
      return `<div class="select"><span class="${chosen ? 'chosen' : 'placeholder'}">${escapeHtml(chosen?.label ?? it.placeholder ?? 'Make a selection')}</span><span class="arrow">⌄</span><ul class="options">${list}</ul></div>`;
    }
    case 9:
      return `<div class="section"><div>${inside()}</div>${it.accessory === undefined ? '' : draw(it.accessory, source)}</div>`;
    case 10:
      return `<div class="text">${drawMarkdown(it.content ?? '')}</div>`;
    case 12:
      return `<div class="gallery n${it.items?.length ?? 0}">${(it.items ?? []).map(({ media, description = '' }) => `<img src="${escapeHtml(source(media.url))}" alt="${escapeHtml(description)}"><span class="alt">${escapeHtml(description)}</span>`).join('')}</div>`;
    case 13:
      return `<div class="file">📄 <span>${escapeHtml((it.file?.url ?? '').replace('attachment://', ''))}</span></div>`;
    case 14:
      return it.divider === false ? '<div class="space"></div>' : '<hr>';
    case 17:
      return `<div class="container" style="border-left-color:#${(it.accent_color ?? 0x2b2d31).toString(16).padStart(6, '0')}">${inside()}</div>`;
    default:
      return `<p class="unknown">component ${it.type}</p>`;
  }
}

/** Discord's markdown: fences, headings, small text, quotes, lists; inline marks. */
export function drawMarkdown(text: string): string {
  return text
    .split(/(```[\s\S]*?```)/)
    .map((part) => {
      const fence = /^```(?:([\w+#-]+)\n)?\n?([\s\S]*?)\n?```$/.exec(part);
      return fence ? `<pre><code>${escapeHtml(fence[2] ?? '')}</code></pre>` : drawLines(part);
    })
    .join('');
}

function drawLines(text: string): string {
  const lines = text.split('\n');
  return lines
    .map((line) => {
      const heading = /^(#{1,3}) +(.*)$/.exec(line);
      if (heading) return `<h${heading[1]?.length}>${inline(heading[2] ?? '')}</h${heading[1]?.length}>`;
      const small = /^-# +(.*)$/.exec(line);
      if (small) return `<div class="small">${inline(small[1] ?? '')}</div>`;
      const quote = /^> ?(.*)$/.exec(line);
      if (quote) return `<blockquote>${inline(quote[1] ?? '')}</blockquote>`;
      const item = /^( *)([-*]|\d+\.) +(.*)$/.exec(line);
      if (item) {
        const mark = /\d/.test(item[2] ?? '') ? item[2] : '•';
        return `<div class="item" style="margin-left:${(item[1]?.length ?? 0) * 8}px"><span>${mark}</span> <span>${inline(item[3] ?? '')}</span></div>`;
      }
      return line.trim() === '' ? '<div class="gap"></div>' : `<div>${inline(line)}</div>`;
    })
    .join('');
}

const marks: readonly (readonly [RegExp, (found: RegExpExecArray) => string])[] = [
  [/^\\([^0-9A-Za-z\s])/, ([, sign = '']) => escapeHtml(sign)],
  [
    /^(`{1,2})(?!`)([\s\S]*?[^`])\1(?!`)/,
    ([, , code = '']) => `<code>${escapeHtml(code.replace(/^ (.*) $/, '$1'))}</code>`,
  ],
  [
    /^\[((?:\\.|[^[\]\\])+)\]\(<?(https?:\/\/[^\s<>)]+)>?\)/,
    ([, words = '', url = '']) => `<a href="${escapeHtml(url)}">${inline(words)}</a>`,
  ],
  [/^<(?:@[!&]?|#)\d+>/, ([whole]) => `<span class="mention">${escapeHtml(whole)}</span>`],
  [/^@(?:everyone|here)\b/, ([whole]) => `<span class="mention">${whole}</span>`],
  [/^\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/, ([, words = '']) => `<b>${inline(words)}</b>`],
  [/^__((?:\\[\s\S]|[^\\])+?)__/, ([, words = '']) => `<u>${inline(words)}</u>`],
  [/^~~((?:\\[\s\S]|[^\\])+?)~~/, ([, words = '']) => `<s>${inline(words)}</s>`],
  [/^\*(?![\s*])((?:\\[\s\S]|[^\\*])+?)\*(?!\*)/, ([, words = '']) => `<i>${inline(words)}</i>`],
  [/^\b_((?:\\[\s\S]|[^\\_])+?)_\b/, ([, words = '']) => `<i>${inline(words)}</i>`],
  [/^https?:\/\/[^\s<]+/, ([url]) => `<a href="${escapeHtml(url)}">${escapeHtml(url)}</a>`],
];

function inline(text: string): string {
  let html = '';
  let rest = text;
  while (rest !== '') {
    let found: RegExpExecArray | null = null;
    for (const [pattern, write] of marks) {
      found = pattern.exec(rest);
      if (found !== null) {
        html += write(found);
        break;
      }
    }
    const length = found?.[0].length ?? 1;
    if (found === null) html += escapeHtml(rest.slice(0, 1));
    rest = rest.slice(length);
  }
  return html;
}

/** The words a person can perceive, pictures by their descriptions. */
export function wordsOf(shown: Shown): string {
  return toText(
    fromHtml(drawMessage(shown).replaceAll('</button>', '</button>\n').replaceAll('<ul', '<br><ul'), {
      fragment: true,
    }),
  );
}

export function drawModal(modal: { readonly title: string; readonly components: readonly unknown[] }): string {
  const fields = readComponents(modal.components).map(({ label = '', description, component, content }) => {
    if (component === undefined) return `<div class="text">${drawMarkdown(content ?? '')}</div>`;
    return `<label>${escapeHtml(label)}${component.required === false ? '' : ' <b class="needed">*</b>'}</label>${description === undefined ? '' : `<div class="small">${escapeHtml(description)}</div>`}${drawInput(component)}`;
  });
  return `<div class="modal"><h2>${escapeHtml(modal.title)}</h2>${fields.join('')}<div class="row end"><button class="button secondary">Cancel</button><button class="button primary">Submit</button></div></div>`;
}

function drawInput(it: Component): string {
  switch (it.type) {
    case 4:
      return `<div class="input${it.style === 2 ? ' tall' : ''}">${escapeHtml(it.value ?? '') || `<span class="placeholder">${escapeHtml(it.placeholder ?? '')}</span>`}</div>`;
    case 19:
      return '<div class="drop">⬆ Drop a file here or browse</div>';
    case 21:
    case 22:
      return (it.options ?? [])
        .map(
          (option) =>
            `<div class="radio"><span>${it.type === 22 ? (option.default ? '☑' : '☐') : option.default ? '◉' : '○'}</span><span>${escapeHtml(option.label)}<div class="small">${escapeHtml(option.description ?? '')}</div></span></div>`,
        )
        .join('');
    default:
      return draw(it, (url) => url);
  }
}
