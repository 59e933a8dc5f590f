// The live demos as the conversation sees them: list, find by any name, play with values, get a picture and words.
import { closest, distance } from 'fastest-levenshtein';
import type { Guide } from '../../knowledge/index.ts';
import type { Picture, Pictures } from '../charts/pictures.ts';
import { UserError } from '../errors.ts';
import { createRandom } from '../random.ts';
import type { AnyValues, Control, Demo, Encoding, SectionId } from './demo.ts';
import { demoTable } from './table.ts';
import { readValues } from './values.ts';

interface DemoSummary {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  /** The chapter of the guide it belongs to. */
  readonly chapterId: string;
  readonly chapterTitle: string;
}

export interface DemoView extends DemoSummary {
  /** Those that count for the values they have, in order. */
  readonly controls: readonly { readonly name: string; readonly control: Control; readonly value: number | string }[];
  readonly seed: number;
  /** Whether another seed shows anything else. */
  readonly seeded: boolean;
  readonly picture: Picture & { readonly alt: string };
  readonly markdown: string;
  readonly sources: readonly { readonly chapterId: string; readonly sectionId: string; readonly title: string }[];
}

export interface Demos {
  /** In the order of the guide's chapters. */
  readonly list: readonly DemoSummary[];
  /** The demo that shows what a section, or else its chapter, teaches. */
  offeredFor(chapterId: string, sectionId: string): DemoSummary | undefined;
  /**
   * Runs a demo.
   * @param name its id or title, or nearly so.
   * @param given values by control name; the others stand at their standard.
   * @throws UserError for an unknown demo or control, and for a value out of bounds.
   */
  play(name: string, given: { readonly [control: string]: unknown }, seed: number): Promise<DemoView>;
}

interface DemosOptions {
  readonly guide: Guide;
  readonly pictures: Pictures;
  /** Loads the sentence encoder when a demo first needs it; without it those demos are left out. */
  readonly loadEncoder?: () => Promise<(text: string) => Encoding>;
}

export function createDemos({ guide, pictures, loadEncoder }: DemosOptions): Demos {
  const available = demoTable.filter(({ needs }) => needs === undefined || loadEncoder !== undefined);
  let encoder: ReturnType<NonNullable<typeof loadEncoder>> | undefined;
  async function encode(text: string): Promise<Encoding> {
    encoder ??= loadEncoder?.();
    const run = await encoder;
    if (run === undefined) throw new Error('a demo asked for an encoder without saying that it needs one');
    return run(text);
  }
  const order = new Map(guide.chapters.map(({ id }, index) => [id, index]));
  const chapterOf = (demo: Demo) => splitSection(demo.home).chapterId;
  const sorted = [...available].sort((a, b) => (order.get(chapterOf(a)) ?? 99) - (order.get(chapterOf(b)) ?? 99));
  const list = sorted.map(summarise);
  const corpus = guide.passages.map(({ text }) => text);

  function summarise(demo: Demo): DemoSummary {
    const { id, title, summary } = demo;
    const chapterId = chapterOf(demo);
    return { id, title, summary, chapterId, chapterTitle: guide.chapter(chapterId)?.title ?? chapterId };
  }

  function sourceOf(section: SectionId) {
    const { chapterId, sectionId } = splitSection(section);
    const title = guide.section(chapterId, sectionId)?.title ?? sectionId;
    return { chapterId, sectionId, title: `${guide.chapter(chapterId)?.title ?? chapterId} › ${title}` };
  }

  return {
    list,

    offeredFor(chapterId, sectionId) {
      const found =
        sorted.find((demo) => demo.home === `${chapterId}#${sectionId}`) ??
        sorted.find((demo) => chapterOf(demo) === chapterId) ??
        sorted.find((demo) => demo.alsoFor?.includes(chapterId));
      return found && summarise(found);
    },

    async play(name, given, seed) {
      const demo = findDemo(name, available);
      const values = readValues(demo.controls, given, demo.id);
      const [{ figure, explanation }, { drawFigure }, { renderPng }] = await Promise.all([
        demo.play(values, { random: createRandom(seed), seed, corpus, encode }),
        import('../charts/figure.ts'),
        import('../charts/render.ts'),
      ]);
      const { svg, alt } = await drawFigure(figure);
      return {
        ...summarise(demo),
        controls: Object.entries(demo.controls).flatMap(([each, control]) => {
          const value = values[each];
          return value !== undefined && counts(control, values) ? [{ name: each, control, value }] : [];
        }),
        seed,
        seeded: demo.seeded !== false,
        picture: { ...(await pictures.put((await renderPng(svg)).png)), alt },
        markdown: explanation.markdown,
        sources: explanation.cites.map(sourceOf),
      };
    },
  };
}

function counts({ when }: Control, values: AnyValues): boolean {
  return when === undefined || when.is.includes(String(values[when.control]));
}

export function splitSection(section: SectionId): { readonly chapterId: string; readonly sectionId: string } {
  const [chapterId = '', sectionId = ''] = section.split('#');
  return { chapterId, sectionId };
}

/** @throws UserError naming the nearest demo. */
function findDemo(name: string, demos: readonly Demo[]): Demo {
  const wanted = simple(name);
  const exact = demos.find((demo) => simple(demo.id) === wanted || simple(demo.title) === wanted);
  if (exact !== undefined) return exact;
  const holding = demos.filter((demo) => simple(`${demo.id} ${demo.title} ${demo.summary}`).includes(wanted));
  if (wanted.length >= 3 && holding.length === 1 && holding[0] !== undefined) return holding[0];
  const nearest = closest(
    wanted,
    demos.map((demo) => simple(demo.id)),
  );
  const near = demos.find((demo) => simple(demo.id) === nearest);
  if (near !== undefined && distance(wanted, nearest) <= 1) return near;
  const some = holding.length > 1 ? holding.map(({ id }) => id).join(' or ') : near?.id;
  throw new UserError(`There is no demo “${name.slice(0, 60)}”.`, `Did you mean ${some}? Say demo to see them all.`);
}

const simple = (name: string) => name.toLowerCase().replace(/[^a-z0-9]+/g, '');
