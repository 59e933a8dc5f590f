// What a block of a section is for, by the label it opens with.
import { expect, test } from 'vitest';
import { readSection } from '../engine/tutor/reading.ts';
import { loadGuide } from '../knowledge/index.ts';

const guide = await loadGuide();
const [section] = guide.chapters.flatMap(({ sections }) => sections);

/** The role of a paragraph with this label, below an answer. */
const roleOf = (label: string) =>
  section && readSection({ ...section, markdown: `It is so.\n\n**${label}** Ten are left, two are wrong.` })[1]?.role;

test.each([
  ['By hand, with a price on each mistake.', 'example'],
  ['By hand, the dummy trap.', 'example'],
  ['A worked example, of what not to trust: a caveat.', 'example'],
  ['Pitfalls.', 'pitfall'],
  ['The trap of prevalence.', 'pitfall'],
  ['Common mistakes.', 'pitfall'],
  ['Folklore checked.', 'pitfall'],
  ['Any metric: the bootstrap.', 'text'],
  ['Even a careful copy differs.', 'text'],
])('what "%s" opens is read as %s', (label, role) => {
  expect(roleOf(label)).toBe(role);
});
