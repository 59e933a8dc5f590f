// Pictures of the guide for a chat: a section's diagram, or a formula, painted once as a PNG on a light card.
import { drawFormula, type Formula, type Guide, paintDiagram } from '../../knowledge/index.ts';
import type { Picture, Pictures } from './pictures.ts';
import { fontFamily, palette, renderPng, textWidth } from './render.ts';

export interface Illustration {
  readonly picture: Picture;
  /** What it shows; of a formula the formula in plain words. */
  readonly alt: string;
  /** Where the page finds the drawing itself, to show it in its own colours. */
  readonly of: { readonly diagram: string } | { readonly formula: string };
}

export interface Illustrations {
  /** The first diagram of a section, or one of another section that shows the same; undefined where there is none. */
  diagramOf(chapterId: string, sectionId: string): Promise<Illustration | undefined>;
  /** @param words a formula as the guide writes it in plain words. @returns undefined for any other text. */
  formula(words: string): Promise<Illustration | undefined>;
}

/** Sections without a drawing of their own that another section's shows as well. */
const shownElsewhere: { readonly [section: string]: string } = {
  'bias-variance#bias': 'bias-variance#dart-board',
  'bias-variance#variance': 'bias-variance#dart-board',
  'evaluation-metrics#accuracy': 'evaluation-metrics#confusion-matrix',
  'evaluation-metrics#averages': 'evaluation-metrics#confusion-matrix',
  'evaluation-metrics#f1-score': 'evaluation-metrics#confusion-matrix',
  'evaluation-metrics#mcc': 'evaluation-metrics#confusion-matrix',
  'evaluation-metrics#precision-and-recall': 'evaluation-metrics#confusion-matrix',
  'ensembles#bagging': 'ensembles#why-combine',
  'ensembles#adaboost': 'ensembles#why-combine',
  'overfitting-underfitting#diagnosis': 'overfitting-underfitting#overfitting',
  'peft#a-and-b': 'peft#lora',
  'peft#lora-parameter-count': 'peft#lora',
  'peft#rank-and-alpha': 'peft#lora',
};

/** Two pixels for one, so that it is sharp on a phone. */
const diagramWidth = 1440;

interface Parts {
  readonly guide: Pick<Guide, 'section' | 'diagrams' | 'formulas'>;
  readonly pictures: Pick<Pictures, 'put'>;
}

export function createIllustrations({ guide, pictures }: Parts): Illustrations {
  const diagrams = new Map(guide.diagrams?.map(({ name, svg }) => [name, svg]));
  const formulas = new Map(guide.formulas?.map((formula) => [formula.words, formula]));
  const painted = new Map<string, Promise<Picture>>();

  /** Each is painted once in the life of the process; a failure is tried again. */
  function paintOnce(key: string, paint: () => Promise<Uint8Array>): Promise<Picture> {
    const known = painted.get(key);
    if (known !== undefined) return known;
    const painting = paint().then(pictures.put);
    painted.set(key, painting);
    painting.catch(() => painted.delete(key));
    return painting;
  }

  return {
    async diagramOf(chapterId, sectionId) {
      const [elsewhere = '', section = ''] = (shownElsewhere[`${chapterId}#${sectionId}`] ?? '').split('#');
      const [shown] =
        guide.section(chapterId, sectionId)?.pictures ?? guide.section(elsewhere, section)?.pictures ?? [];
      const svg = shown && diagrams.get(shown.name);
      if (shown === undefined || svg === undefined) return undefined;
      const { name, alt } = shown;
      const picture = await paintOnce(`diagram:${name}`, async () => {
        return (await renderPng(paintDiagram(svg, 'light'), { width: diagramWidth })).png;
      });
      return { picture, alt, of: { diagram: name } };
    },

    async formula(words) {
      const formula = formulas.get(words);
      if (formula === undefined) return undefined;
      const picture = await paintOnce(`formula:${words}`, async () => (await renderPng(await cardOf(formula))).png);
      return { picture, alt: words, of: { formula: words } };
    },
  };
}

const fontSize = 20;
const noteSize = 16;
const padding = 24;
/** A narrow formula is not blown up by a chat that fills the width. */
const leastWidth = 560;

/** The formula on a card of its own with its notes below, in pixels. */
async function cardOf({ tex, notes }: Formula): Promise<string> {
  const { svg, width, height } = await drawFormula(tex);
  const [across, down] = [width * fontSize, height * fontSize];
  const cardWidth = Math.max(leastWidth, Math.ceil(across) + 2 * padding);
  const lines = notes.flatMap((note) => wrapNote(note, cardWidth - 2 * padding));
  const firstNote = padding + Math.ceil(down) + 2 * noteSize;
  const cardHeight = lines.length === 0 ? Math.ceil(down) + 2 * padding : firstNote + lines.length * 1.4 * noteSize;
  const told = lines.map(
    (line, index) =>
      `<text x="${padding}" y="${firstNote + index * 1.4 * noteSize}" font-family="${fontFamily}" font-size="${noteSize}" fill="${palette.faintInk}">${escapeXml(line)}</text>`,
  );
  const placed = svg
    .replace('<svg ', `<svg x="${padding}" y="${padding}" width="${across}" height="${down}" `)
    .replaceAll('currentColor', palette.ink);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${cardWidth}" height="${cardHeight}"><rect width="100%" height="100%" fill="${palette.card}"/>${placed}${told.join('')}</svg>`;
}

const escapeXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function wrapNote(note: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of note.replaceAll('`', '').split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(longer, noteSize) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
