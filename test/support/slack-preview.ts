// Draws Block Kit as HTML that looks close to Slack: close enough to judge a layout. Knows nothing of the product's renderer.
import type { Fields } from './slack-server-rules.ts';
import type { Message, View, World } from './slack-server-world.ts';

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldsOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);
const toHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Slack's own markup. It comes escaped already. */
function mrkdwn(text: string): string {
  return text
    .replace(/```\n?([\s\S]*?)\n?```/g, (_, code: string) => `<pre>${code}</pre>`)
    .replace(/<(https?:[^|>]+)\|([^>]+)>/g, '<a href="$1">$2</a>')
    .replace(/<#(\w+)>/g, '<a>#channel</a>')
    .replace(/`([^`\n]+)`/g, '<code>$1</code>')
    .replace(/(?<![\w\u200B])\*(?=\S)([^\n*]+)\*(?![\w\u200B])/g, '<b>$1</b>')
    .replace(/(?<![\w\u200B])_(?=\S)([^\n_]+)_(?![\w\u200B])/g, '<i>$1</i>')
    .replaceAll('\n', '<br>');
}

const words = (value: unknown): string =>
  !isFields(value) ? '' : value.type === 'mrkdwn' ? mrkdwn(String(value.text)) : toHtml(String(value.text ?? ''));

function leaf(one: Fields): string {
  const style = isFields(one.style) ? one.style : {};
  let text = toHtml(String(one.text ?? one.url ?? ''));
  if (style.code === true) text = `<code>${text}</code>`;
  if (style.bold === true) text = `<b>${text}</b>`;
  if (style.italic === true) text = `<i>${text}</i>`;
  if (style.strike === true) text = `<s>${text}</s>`;
  return one.type === 'link' ? `<a href="${toHtml(String(one.url))}">${text}</a>` : text;
}

const leaves = (one: Fields) => fieldsOf(one.elements).map(leaf).join('');

function rich(element: Fields): string {
  switch (element.type) {
    case 'rich_text_list': {
      const items = fieldsOf(element.elements).map((item) => `<li>${leaves(item)}</li>`);
      const indent = Number(element.indent ?? 0);
      const tag = element.style === 'ordered' ? 'ol' : 'ul';
      const start = Number(element.offset ?? 0) + 1;
      return `<${tag} start="${start}" style="margin-left:${indent * 28}px">${items.join('')}</${tag}>`;
    }
    case 'rich_text_preformatted':
      return `<pre>${leaves(element)}</pre>`;
    case 'rich_text_quote':
      return `<blockquote>${leaves(element)}</blockquote>`;
    default:
      return `<p>${leaves(element)}</p>`;
  }
}

function element(one: Fields): string {
  const options = [
    ...fieldsOf(one.options),
    ...fieldsOf(one.option_groups).flatMap((group) => fieldsOf(group.options)),
  ];
  switch (one.type) {
    case 'button':
      return `<span class="button ${String(one.style ?? '')}">${words(one.text)}</span>`;
    case 'static_select': {
      const chosen = isFields(one.initial_option) ? words(one.initial_option.text) : words(one.placeholder);
      return `<span class="select">${chosen} <i class="chevron">⌄</i></span>`;
    }
    case 'radio_buttons':
    case 'checkboxes': {
      const initial = JSON.stringify(one.initial_option ?? one.initial_options ?? '');
      return options
        .map((option) => {
          const on = initial.includes(JSON.stringify(option.value));
          const mark = one.type === 'checkboxes' ? (on ? '☑' : '☐') : on ? '◉' : '○';
          return `<div class="radio">${mark} ${words(option.text)} <small>${words(option.description)}</small></div>`;
        })
        .join('');
    }
    case 'file_input':
      return '<span class="button">⬆ Upload a file</span>';
    default:
      return `<div class="input${one.multiline === true ? ' tall' : ''}">${toHtml(String(one.initial_value ?? ''))}</div>`;
  }
}

type Pictures = (fileId: string) => string | undefined;

function block(one: Fields, pictures: Pictures): string {
  switch (one.type) {
    case 'divider':
      return '<hr>';
    case 'header':
      return `<h3>${words(one.text)}</h3>`;
    case 'section': {
      const accessory = isFields(one.accessory) ? `<div class="accessory">${element(one.accessory)}</div>` : '';
      return `<div class="section"><div>${words(one.text)}</div>${accessory}</div>`;
    }
    case 'context':
      return `<div class="context">${fieldsOf(one.elements)
        .map((each) => `<span>${words(each)}</span>`)
        .join('')}</div>`;
    case 'actions':
      return `<div class="actions">${fieldsOf(one.elements).map(element).join('')}</div>`;
    case 'image': {
      const source = isFields(one.slack_file) ? pictures(String(one.slack_file.id)) : undefined;
      return `<img src="${source ?? ''}" alt="${toHtml(String(one.alt_text))}">`;
    }
    case 'input': {
      const optional = one.optional === true ? ' <small>(optional)</small>' : '';
      const hint = isFields(one.hint) ? `<small class="hint">${words(one.hint)}</small>` : '';
      return `<label>${words(one.label)}${optional}</label>${isFields(one.element) ? element(one.element) : ''}${hint}`;
    }
    case 'rich_text':
      return fieldsOf(one.elements).map(rich).join('');
    case 'markdown':
      return `<p>${toHtml(String(one.text))
        .replace(/\*\*([^*]+)\*\*/g, '<b>$1</b>')
        .replaceAll('\n', '<br>')}</p>`;
    case 'table':
      return `<table>${(Array.isArray(one.rows) ? one.rows : [])
        .map(
          (row) =>
            `<tr>${fieldsOf(row)
              .map((cell, column) => {
                const settings = fieldsOf(one.column_settings)[column];
                const text =
                  cell.type === 'raw_text' ? toHtml(String(cell.text)) : fieldsOf(cell.elements).map(leaves).join('');
                return `<td style="text-align:${String(settings?.align ?? 'left')}">${text}</td>`;
              })
              .join('')}</tr>`,
        )
        .join('')}</table>`;
    case 'plan':
      return `<div class="plan"><b>${toHtml(String(one.title))}</b>${fieldsOf(one.tasks)
        .map((task) => block(task, pictures))
        .join('')}</div>`;
    case 'task_card': {
      const mark = one.status === 'complete' ? '✓' : one.status === 'error' ? '✗' : '◌';
      const details = isFields(one.details) ? fieldsOf(one.details.elements).map(rich).join('') : '';
      return `<div class="task"><b>${mark} ${toHtml(String(one.title))}</b>${details}</div>`;
    }
    default:
      return `<div class="unknown">${toHtml(String(one.type))}</div>`;
  }
}

const blocks = (given: unknown, pictures: Pictures) =>
  fieldsOf(given)
    .map((one) => block(one, pictures))
    .join('');

function picturesOf(world: World): Pictures {
  return (fileId) => {
    const content = world.files.get(fileId)?.content;
    return content && `data:image/png;base64,${content.toString('base64')}`;
  };
}

const page = (title: string, body: string) => `<!doctype html><meta charset="utf-8"><title>${toHtml(title)}</title>
<style>
body { margin: 0; font: 15px/1.46668 Lato, "DejaVu Sans", Arial, sans-serif; color: #1d1c1d; background: #fff; width: 760px }
h1 { font-size: 15px; padding: 10px 20px; margin: 0; border-bottom: 1px solid #ddd }
.message { display: flex; gap: 8px; padding: 8px 20px }
.message.reply { margin-left: 44px; border-left: 2px solid #e8e8e8 }
.message.private { background: #fdf6e3 }
.avatar { flex: none; width: 36px; height: 36px; border-radius: 4px; background: #1f3a5f; color: #fff; display: grid; place-items: center; font-weight: 700 }
.avatar.person { background: #8a6d3b }
.body { min-width: 0; flex: 1 }
.author { font-weight: 900 } .author small { font-weight: 400; color: #616061; font-size: 12px }
.body > * { margin: 4px 0 } p { margin: 4px 0; white-space: pre-wrap }
h3 { font-size: 18px; margin: 8px 0 } hr { border: 0; border-top: 1px solid #ddd; margin: 12px 0 }
.section { display: flex; gap: 16px; justify-content: space-between } .accessory { flex: none }
.context { color: #616061; font-size: 13px; display: flex; flex-direction: column; gap: 3px }
.actions { display: flex; flex-wrap: wrap; gap: 8px }
.button, .select { display: inline-block; border: 1px solid #bbb; border-radius: 4px; padding: 4px 12px; font-weight: 700; font-size: 13px; background: #fff }
.button.primary { background: #007a5a; border-color: #007a5a; color: #fff } .button.danger { color: #e01e5a; border-color: #e01e5a }
.select { min-width: 120px; font-weight: 400 } .chevron { float: right; font-style: normal }
code { font: 12px Menlo, "DejaVu Sans Mono", monospace; color: #e01e5a; background: #f6f6f6; border: 1px solid #ddd; border-radius: 3px; padding: 1px 3px }
pre { font: 12px/1.5 Menlo, "DejaVu Sans Mono", monospace; background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; padding: 8px; white-space: pre-wrap; margin: 4px 0 }
blockquote { border-left: 4px solid #ddd; margin: 4px 0; padding-left: 12px } ul, ol { margin: 4px 0; padding-left: 26px }
table { border-collapse: collapse; font-size: 14px } td { border: 1px solid #ddd; padding: 5px 10px }
img { max-width: 360px; max-height: 360px; border-radius: 8px; border: 1px solid #ddd; display: block }
.task { border: 1px solid #ddd; border-radius: 8px; padding: 8px 12px } .task p { margin: 2px 0; color: #454245 }
a { color: #1264a3; text-decoration: none } small { color: #616061 }
.modal { width: 520px; margin: 20px; border: 1px solid #ddd; border-radius: 8px; box-shadow: 0 4px 12px #0003 }
.modal h2 { font-size: 20px; margin: 0; padding: 14px 20px; border-bottom: 1px solid #ddd }
.modal .content { padding: 8px 20px } .modal label { font-weight: 700; display: block; margin-top: 14px }
.modal footer { padding: 12px 20px; border-top: 1px solid #ddd; text-align: right }
.input { border: 1px solid #868686; border-radius: 4px; padding: 8px 12px; min-height: 20px; margin: 4px 0 } .input.tall { min-height: 80px } .hint { display: block }
.home { padding: 12px 20px }
</style><h1>${toHtml(title)}</h1>${body}`;

/** A channel or a direct message as one person sees it. */
export function drawChannel(world: World, channelId: string, personId: string, title: string): string {
  const pictures = picturesOf(world);
  const seen = world.messages.filter(
    (one) => one.channel === channelId && !one.deleted && (one.visibleTo === undefined || one.visibleTo === personId),
  );
  const roots = seen.filter((one) => one.threadTs === undefined || one.threadTs === one.ts);
  const ordered = roots.flatMap((root) => [root, ...seen.filter((one) => one.threadTs === root.ts && one !== root)]);
  return page(title, ordered.map((message) => drawMessage(message, world, pictures)).join(''));
}

function drawMessage(message: Message, world: World, pictures: Pictures): string {
  const ours = message.user === world.botUserId;
  const name = ours ? 'Finetutor' : (world.people.get(message.user)?.name ?? message.user);
  const kind = [
    ours ? '' : 'person',
    message.threadTs === undefined ? '' : 'reply',
    message.visibleTo === undefined ? '' : 'private',
  ];
  const text = message.text.replaceAll(`<@${world.botUserId}>`, '<a>@Finetutor</a>');
  const content = message.blocks.length > 0 ? blocks(message.blocks, pictures) : `<p>${mrkdwn(text)}</p>`;
  const files = message.files.map((file) => `<span class="button">📄 ${toHtml(file.name)}</span>`).join(' ');
  const note = message.visibleTo === undefined ? '' : '<small>Only visible to you</small>';
  return `<div class="message ${kind.join(' ')}"><div class="avatar ${kind[0]}">${name[0]}</div><div class="body"><div class="author">${toHtml(name)} <small>${ours ? 'APP ' : ''}${note}</small></div>${content}${files}</div></div>`;
}

export function drawModal(world: World, view: View): string {
  const { content } = view;
  const submit = content.submit === undefined ? '' : `<span class="button primary">${words(content.submit)}</span>`;
  return page(
    'Modal',
    `<div class="modal"><h2>${words(content.title)}</h2><div class="content">${blocks(content.blocks, picturesOf(world))}</div><footer><span class="button">${words(content.close)}</span> ${submit}</footer></div>`,
  );
}

export function drawHome(world: World, personId: string): string {
  return page('Home', `<div class="home">${blocks(world.homes.get(personId)?.blocks, picturesOf(world))}</div>`);
}
