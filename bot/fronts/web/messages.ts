// A kept message → one article of the conversation: ours through the reply renderer, a person's as plain words.
import { html, raw } from 'hono/html';
import { z } from 'zod';
import type { StoredMessage } from '../../../engine/index.ts';
import type { Block, Reply } from '../../chat/message.ts';
import { formatBytes, icons, type RenderContext, renderReply } from './render.ts';

const saidSchema = z.object({
  text: z.string(),
  attachments: z.array(z.object({ name: z.string(), bytes: z.number() })).default([]),
});
export type Said = z.input<typeof saidSchema>;

/** Our own words come back from the database as we put them in; only their outer shape is checked again. */
const replySchema = z.custom<Reply>(
  (value) => z.object({ blocks: z.array(z.object({ kind: z.string() })) }).safeParse(value).success,
);

const saidSlotPrefix = 'said:';
/** The slot that makes storing a person's message twice harmless. */
export const saidSlot = (key: string) => saidSlotPrefix + key;

/** For a message that cannot be read any more: the others must still be shown. */
export function renderUnreadable(message: StoredMessage): string {
  return String(
    html`<article class="message tutor" id="m${message.id}" data-id="${message.id}" data-updated="${message.updatedAt.getTime()}" aria-label="Finetutor"><p class="detail">This message can't be shown any more.</p></article>`,
  );
}

/** A reply with one of these stands on a card of its own. */
const cardKinds: ReadonlySet<Block['kind']> = new Set(['progress', 'form', 'picture']);

const longTextLength = 1200;

export function renderMessage(message: StoredMessage, at: Omit<RenderContext, 'idPrefix'>): string {
  const id = `m${message.id}`;
  const stamp = html`id="${id}" data-id="${message.id}" data-updated="${message.updatedAt.getTime()}"`;
  if (message.personId !== undefined) {
    const said = saidSchema.parse(message.content);
    const key = message.slot?.startsWith(saidSlotPrefix) ? message.slot.slice(saidSlotPrefix.length) : '';
    return String(
      html`<article class="message person" ${stamp} data-key="${key}" aria-label="You">${renderSaid(said)}</article>`,
    );
  }
  const reply = replySchema.parse(message.content);
  const card = reply.blocks.some(({ kind }) => cardKinds.has(kind)) ? ' card' : '';
  return String(
    html`<article class="message tutor${card}" ${stamp} aria-label="Finetutor">${raw(renderReply(reply, { ...at, idPrefix: id }))}</article>`,
  );
}

/** The formulas of the guide that a kept message shows, in plain words. */
export function formulasIn(message: StoredMessage): readonly string[] {
  const reply = replySchema.safeParse(message.content);
  if (message.personId !== undefined || !reply.success) return [];
  return reply.data.blocks.flatMap((block) =>
    block.kind === 'picture' && block.of !== undefined && 'formula' in block.of ? [block.of.formula] : [],
  );
}

function renderSaid({ text, attachments = [] }: Said) {
  const words =
    text.length <= longTextLength
      ? html`<p>${text}</p>`
      : html`<p>${text.slice(0, longTextLength)}…</p><details><summary>Show all ${text.length.toLocaleString('en')} characters</summary><p>${text}</p></details>`;
  const files = attachments.map(
    ({ name, bytes }) =>
      html`<p class="file">${icons.file}<span><span class="file-name">${name}</span> <span class="file-size">${formatBytes(bytes)}</span></span></p>`,
  );
  return html`${text === '' ? '' : words}${files}`;
}
