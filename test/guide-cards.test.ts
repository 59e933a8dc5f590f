// Every section that teaches a concept is a card: what it must have, and which sections still lack what, by name.
import { expect, test } from 'vitest';
import { type Part, readSection } from '../engine/tutor/reading.ts';
import { loadGuide, overviewId, type Section } from '../knowledge/index.ts';
import { readCardExemptions } from './support/card-exemptions.ts';

const guide = await loadGuide();
/** Chapters of lists, plans and projects hold no cards. */
const cards = guide.chapters
  .filter(({ id }) => !/^(?:roadmap|cheat-sheet|glossary|tools|project-.*)$/.test(id))
  .flatMap(({ sections }) => sections)
  .filter(({ id }) => id !== overviewId);

const partsOf = new Map(cards.map((section) => [section, readSection(section)]));

type Has = (section: Section, parts: readonly Part[]) => boolean;

const has = {
  definition: (_section, parts) => parts[0]?.role === 'answer' && parts[0].sentences.length > 0,
  intuition: ({ markdown }, parts) =>
    parts.some(({ role }) => role === 'intuition') ||
    /\b(?:think of|imagine|like an? |as if|picture |analog|is like|resembles)/i.test(markdown),
  example: ({ markdown }, parts) =>
    parts.some(({ role }) => role === 'example' || role === 'evidence') ||
    /by hand|worked|computed|measured|\bexample\b/i.test(markdown),
  formula: ({ markdown }) =>
    /```math|```text/.test(markdown) || /`[^`]*[=·/≈][^`]*`/.test(markdown.replace(/```.*?```/gs, '')),
  code: ({ markdown }) => /```(?:python|json|bash|sh)\n/.test(markdown),
  use: ({ markdown }, parts) =>
    parts.some(({ role }) => role === 'use') ||
    /\buse it|when to use|\bchoose|suits|first choice|right (?:when|for)|\bprefer|start with|\bdefault\b|use .{0,60} (?:when|for|if)\b/i.test(
      markdown,
    ),
  pitfall: (_section, parts) => parts.some(({ role }) => role === 'pitfall'),
  related: ({ markdown, related }) => related !== undefined || markdown.includes('(guide:'),
} satisfies { readonly [part: string]: Has };

type CardPart = keyof typeof has;

const lacking = (part: CardPart) =>
  cards
    .filter((section) => !has[part](section, partsOf.get(section) ?? []))
    .map(({ chapterId, id }) => `${chapterId}#${id}`);

/** A history has no formula, a checklist no analogy: what does not apply to a section is written down, with the reason. */
const exempt = readCardExemptions().flatMap(({ part, chapterId, sections }) =>
  sections.map((id) => ({ part, at: `${chapterId}#${id}` })),
);

test('what a card is exempt from is lacking in it, and is named once', () => {
  const idle = exempt.filter(({ part, at }) => !lacking(part).includes(at)).map(({ part, at }) => `${part}: ${at}`);
  expect(idle, 'exempt, but there (or no such section)').toEqual([]);
  expect(new Set(exempt.map(({ part, at }) => `${part}: ${at}`)).size).toBe(exempt.length);
});

const cardParts = Object.keys(has) as CardPart[];

test.each(cardParts)('every card has its %s, or a reason why it needs none', (part) => {
  const reasoned = new Set(exempt.filter((exemption) => exemption.part === part).map(({ at }) => at));
  expect(lacking(part).filter((at) => !reasoned.has(at))).toEqual([]);
});

test('every method has all of it: what it is, an example, formula or code, when to use it, what to beware of', () => {
  const methods = cards.filter(
    ({ chapterId, id }) => chapterId === 'algorithms' && !['chooser', 'at-a-glance', 'others'].includes(id),
  );
  expect(methods.length).toBeGreaterThanOrEqual(15);
  for (const section of methods) {
    const parts = partsOf.get(section) ?? [];
    for (const part of ['definition', 'example', 'formula', 'code', 'pitfall', 'related'] as const)
      expect(has[part](section, parts), `${section.id}: ${part}`).toBe(true);
  }
});

test('every section but the overviews is asked for in six ways or more', () => {
  const few = guide.chapters
    .flatMap(({ sections }) => sections)
    .filter(({ id, asks }) => id !== overviewId && asks.length < 6);
  expect(few.map(({ chapterId, id }) => `${chapterId}#${id}`)).toEqual([]);
});
