// A section as a tutor reads it: what each block is for (answer, example, pitfall, next step) by the label it opens with.
import { cutBlocks, type Section, type SectionBlock, type Sentence } from '../../knowledge/index.ts';

export type Role =
  | 'answer'
  | 'text'
  | 'intuition'
  | 'example'
  | 'use'
  | 'why'
  | 'evidence'
  | 'pitfall'
  | 'next'
  | 'related'
  | 'comparison';

export interface Part {
  readonly role: Role;
  readonly block: SectionBlock;
  /** Sentences or list items without the label. */
  readonly sentences: readonly Sentence[];
  /** What the label it opens with says, or the one alone on the line above: `Choosing k`. */
  readonly name: string | undefined;
  /** The label the paragraph opens with, where it is a sentence of its own: `**Intuition.**`. */
  readonly label: Sentence | undefined;
  /** The heading, or the label alone on its line, right above. */
  readonly heading: SectionBlock | undefined;
  /** The short paragraph right above a table, a list or code, which says what it shows. */
  readonly leadIn: SectionBlock | undefined;
}

/** The first that fits: `By hand, the dummy trap` is an example, and a bootstrap is no trap. */
const roles: readonly (readonly [RegExp, Role])[] = [
  [/^(by hand|(a )?worked)/i, 'example'],
  [/pitfall|folklore|misconception|mistake|watch out|^careful|caveat|\btraps?\b/i, 'pitfall'],
  [/^side by side/i, 'comparison'],
  [/^(what to do next|next)/i, 'next'],
  [/^(related|see also|further)/i, 'related'],
  [/intuition|picture|analogy/i, 'intuition'],
  [/example|by hand|worked|check/i, 'example'],
  [/^(when to use|use it|when not|settings|which|how many|what to do)/i, 'use'],
  [/^why|derivation|proof/i, 'why'],
  [/measured|evidence|studies/i, 'evidence'],
];

const label = /^\*\*([^*]{1,60})\*\*[.:,]?\s*/;

/** The first paragraph is the section's own short answer; a label alone on its line holds for the block below it. */
export function readSection(section: Section): readonly Part[] {
  const known = readings.get(section) ?? readParts(section);
  readings.set(section, known);
  return known;
}

const readings = new WeakMap<Section, readonly Part[]>();

function readParts(section: Section): Part[] {
  const parts: Part[] = [];
  let inherited: Role | undefined;
  let heading: string | undefined;
  let previous: SectionBlock | undefined;
  for (const block of cutBlocks(section.markdown)) {
    const match = block.kind === 'paragraph' ? label.exec(block.markdown) : null;
    const named = match?.[1] === undefined ? undefined : roleOf(match[1]);
    if (block.kind === 'heading' || isHeading(block)) {
      inherited = block.kind === 'heading' ? roleOf(block.prose) : named;
      heading = match?.[1] ?? block.prose;
    } else {
      const first = !parts.some((part) => part.role === 'answer');
      const role = named ?? inherited ?? (first && block.kind === 'paragraph' ? 'answer' : 'text');
      const isLabel = ({ markdown }: Sentence) => markdown.replace(label, '') === '';
      const sentences = block.sentences.filter((sentence) => !isLabel(sentence));
      const leadIn =
        block.kind !== 'paragraph' && previous?.kind === 'paragraph' && !isHeading(previous) && !isPicture(previous)
          ? previous
          : undefined;
      const above = previous !== undefined && isHeading(previous) ? previous : undefined;
      const name = match?.[1] ?? (above && heading);
      parts.push({ role, block, sentences, name, label: block.sentences.find(isLabel), heading: above, leadIn });
      // A label rules the one block below it; a heading rules until the next heading.
      if (previous?.kind === 'paragraph' && isHeading(previous)) inherited = undefined;
    }
    previous = block;
  }
  return parts;
}

function isHeading(block: SectionBlock): boolean {
  return block.kind === 'heading' || (block.kind === 'paragraph' && block.markdown.replace(label, '').trim() === '');
}

/** A picture in words says what the whole is like, not what the table below it shows. */
function isPicture({ markdown }: SectionBlock): boolean {
  const name = label.exec(markdown)?.[1];
  return name !== undefined && roleOf(name) === 'intuition';
}

function roleOf(title: string): Role | undefined {
  return roles.find(([pattern]) => pattern.test(title))?.[1];
}
