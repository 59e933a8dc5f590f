// The guide's drawings for the page: diagrams as they stand, formulas once they have been drawn.
import { raw } from 'hono/html';
import { type DrawnFormula, drawFormula, type Guide, inlineDiagram } from '../../../knowledge/index.ts';
import type { Drawings } from './render.ts';

export interface PageDrawings extends Drawings {
  /** Draws those of these formulas that have not been drawn; one that cannot be stays plain text. */
  prepare(words: readonly string[]): Promise<void>;
}

export function createDrawings(guide: Pick<Guide, 'diagrams' | 'formulas'> | undefined): PageDrawings {
  const diagrams = new Map(guide?.diagrams?.map(({ name, svg }) => [name, svg]));
  const formulas = new Map(guide?.formulas?.map((formula) => [formula.words, formula]));
  const drawn = new Map<string, DrawnFormula>();
  return {
    diagram(name) {
      const svg = diagrams.get(name);
      return svg === undefined ? undefined : raw(inlineDiagram(svg));
    },
    formula(words) {
      const found = drawn.get(words);
      return found && { markup: raw(sized(found)), notes: formulas.get(words)?.notes ?? [] };
    },
    async prepare(words) {
      await Promise.all(
        words.map(async (one) => {
          const formula = formulas.get(one);
          if (formula !== undefined && !drawn.has(one)) drawn.set(one, await drawFormula(formula.tex));
        }),
      );
    },
  };
}

/** The page allows no style attributes; an SVG's own width and height, in em, need none. */
function sized({ svg, width, height }: DrawnFormula): string {
  return svg.replace('<svg ', `<svg width="${width.toFixed(3)}em" height="${height.toFixed(3)}em" `);
}
