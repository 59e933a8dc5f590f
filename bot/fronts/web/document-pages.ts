// A passage of a group's own document as a page, so that a citation of it opens: its words only, as they are, and the way on.
import { html } from 'hono/html';
import { type Markup, passageHref } from './render.ts';

interface ShownPassage {
  readonly documentId: string;
  /** In reading order, from 0. */
  readonly number: number;
  readonly title: string;
  readonly text: string;
  /** How many its document has. */
  readonly passages: number;
}

export function renderPassage({ documentId, number, title, text, passages }: ShownPassage): Markup {
  const paragraphs = text.split(/\n{2,}/).filter((paragraph) => paragraph.trim() !== '');
  return html`<main id="main" class="reader-alone" tabindex="-1"><article class="chapter prose">
<p class="eyebrow">Your group’s own material · passage ${number + 1} of ${passages}</p>
<h1>${title}</h1>
${paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}</article>
<nav class="turn" aria-label="Passages">${turn(documentId, number - 1, passages, 'Previous', 'prev')}${turn(documentId, number + 1, passages, 'Next', 'next')}</nav></main>`;
}

function turn(documentId: string, to: number, passages: number, word: string, rel: string): Markup {
  return to < 0 || to >= passages
    ? html`<span></span>`
    : html`<a rel="${rel}" class="${rel}" href="${passageHref(documentId, to)}"><span>${word}</span>Passage ${to + 1}</a>`;
}

/** @param problem what was wrong with the address, and what to do, in words for people. */
export function renderNoPassage(problem: { readonly message: string; readonly hint: string }): Markup {
  return html`<main id="main" class="missing" tabindex="-1"><h1>${problem.message}</h1>
<p>${problem.hint}</p><ul><li><a href="/">Ask the tutor</a></li></ul></main>`;
}
