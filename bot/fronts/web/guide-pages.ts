// The guide as pages: the list of chapters, a chapter with its contents, and a helpful answer for an address that is wrong.
import { closest } from 'fastest-levenshtein';
import { html, raw } from 'hono/html';
import {
  type Chapter,
  type Guide,
  overviewId,
  readFormula,
  renderMarkdown,
  type Section,
} from '../../../knowledge/index.ts';
import type { PageDrawings } from './drawings.ts';
import { type Markup, renderDiagram, renderFormula, sectionHref } from './render.ts';

export function renderContents(guide: Guide): Markup {
  const phases = [...new Set(guide.chapters.map(({ phase }) => phase))];
  return html`<main id="main" class="guide-list" tabindex="-1"><h1>The guide</h1>
<p class="lede">Everything the tutor answers from, to read in order or where you need it.</p>
${phases.map(
  (phase) =>
    html`<section><h2>${phase}</h2><ul class="chapters">${guide.chapters
      .filter((chapter) => chapter.phase === phase)
      .map(renderEntry)}</ul></section>`,
)}${guide.chapters.length === 0 ? html`<p>There are no chapters yet.</p>` : ''}</main>`;
}

function renderEntry(chapter: Chapter): Markup {
  return html`<li><a class="chapter-entry" href="${sectionHref(chapter.id, overviewId)}"><strong>${chapter.title}</strong><span class="minutes">${chapter.minutes} min</span><span class="objective">${chapter.objectives[0] ?? ''}</span></a></li>`;
}

export async function renderChapter(guide: Guide, chapter: Chapter, drawings: PageDrawings): Promise<Markup> {
  const written = chapter.sections.flatMap(({ markdown }) => [...markdown.matchAll(/^```math\n([\s\S]*?)\n```$/gm)]);
  await drawings.prepare(written.flatMap(([, block = '']) => readFormula(block)?.words ?? []));
  const draw = {
    diagram: (url: string, alt: string) => {
      const drawn = drawings.diagram(/^diagrams\/([\w-]+)\.svg$/.exec(url)?.[1] ?? '');
      return drawn && String(renderDiagram(drawn, alt));
    },
    formula: (words: string) => {
      const drawn = drawings.formula(words);
      return drawn && String(renderFormula(drawn, words));
    },
  };
  const index = guide.chapters.findIndex(({ id }) => id === chapter.id);
  const headed = chapter.sections.filter(({ id }) => id !== overviewId);
  return html`<div class="reader">
<nav class="contents" aria-labelledby="contents-title"><h2 id="contents-title">In this chapter</h2><ol>${headed.map(
    (section) => html`<li><a href="#${section.id}">${section.title}</a></li>`,
  )}</ol></nav>
<main id="main" tabindex="-1"><article class="chapter prose">
<p class="eyebrow"><a href="/guide">The guide</a> · ${chapter.phase} · ${chapter.minutes} min</p>
<h1>${chapter.title}</h1>
${chapter.objectives.length === 0 ? '' : html`<div class="objectives"><p>After this chapter you can</p><ul>${chapter.objectives.map((one) => html`<li>${one}</li>`)}</ul></div>`}
${chapter.sections.map(
  (section) =>
    html`<section id="${section.id}" tabindex="-1">${section.id === overviewId ? '' : html`<h2>${section.title} <a class="anchor" href="#${section.id}" aria-label="Link to ${section.title}">#</a></h2>`}${raw(renderMarkdown(section.markdown, { linkTo: sectionHref, draw }))}${renderRelated(guide, section)}</section>`,
)}</article>
<nav class="turn" aria-label="Chapters">${renderTurn(guide.chapters[index - 1], 'Previous', 'prev')}${renderTurn(guide.chapters[index + 1], 'Next', 'next')}</nav></main></div>`;
}

function renderRelated(guide: Guide, { related = [] }: Section): Markup | string {
  const links = related.flatMap(({ chapterId, sectionId }) => guide.section(chapterId, sectionId) ?? []);
  if (links.length === 0) return '';
  return html`<p><strong>Related:</strong> ${links.map(
    ({ chapterId, id, title }, index) =>
      html`${index === 0 ? '' : ' · '}<a href="${sectionHref(chapterId, id)}">${title}</a>`,
  )}</p>`;
}

function renderTurn(chapter: Chapter | undefined, word: string, rel: string): Markup {
  return chapter === undefined
    ? html`<span></span>`
    : html`<a rel="${rel}" class="${rel}" href="${sectionHref(chapter.id, overviewId)}"><span>${word}</span>${chapter.title}</a>`;
}

/** @param wanted the chapter id that was asked for, if it was one. */
export function renderNotFound(guide: Guide | undefined, wanted: string | undefined): Markup {
  const ids = guide?.chapters.map(({ id }) => id) ?? [];
  const nearest = wanted !== undefined && ids.length > 0 ? guide?.chapter(closest(wanted, ids)) : undefined;
  return html`<main id="main" class="missing" tabindex="-1"><h1>${wanted === undefined ? 'There is nothing at this address' : 'The guide has no such chapter'}</h1>
<p>${wanted === undefined ? 'It may have moved, or the link may be incomplete.' : html`No chapter is called “${wanted.slice(0, 80)}”.`}</p>
<ul>${nearest === undefined ? '' : html`<li>Did you mean <a href="${sectionHref(nearest.id, overviewId)}">${nearest.title}</a>?</li>`}<li><a href="/guide">All chapters of the guide</a></li><li><a href="/">Ask the tutor</a></li></ul></main>`;
}
