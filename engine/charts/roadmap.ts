// The roadmap of one learner: phases in a column, a mark for each chapter, filled as it is read and passed.
import type { Standing, Step } from '../tutor/roadmap-standing.ts';
import { type Chart, fontFamily, palette, textWidth, truncate } from './render.ts';

const width = 640;
const rowHeight = 76;
const [top, left] = [64, 24];
const circle = { x: left + 20, radius: 18 };
const textX = circle.x + circle.radius + 18;
const dot = { radius: 8, gap: 24 };
const colours = { done: '#08663f', washed: '#def3ea' };

/** Pure: the same standing gives the same picture. */
export function roadmapChart({ phases, next }: Standing): Chart {
  const height = top + phases.length * rowHeight + 44;
  const rows = phases.map(({ phase, number, steps, built, done }, index) => {
    const y = top + index * rowHeight + circle.radius;
    const isNext = next?.phase.phase.id === phase.id;
    const ring = done ? colours.done : isNext ? palette.orange : palette.axis;
    const wire =
      index === phases.length - 1
        ? ''
        : `<line x1="${circle.x}" y1="${y + circle.radius + 3}" x2="${circle.x}" y2="${y + rowHeight - circle.radius - 3}" stroke="${done ? colours.done : palette.axis}" stroke-width="3"/>`;
    const finished = steps.filter((step) => step.done).length;
    const count = `${finished} of ${steps.length}`;
    const right = width - left;
    const marks = steps.map((step, at) =>
      drawStep(step, textX + dot.radius + at * dot.gap, y + 24, step === next?.step),
    );
    const buildX = textX + dot.radius + steps.length * dot.gap + 4;
    const isBuildNext = isNext && next?.do === 'build';
    const build = `<path d="M${buildX} ${y + 15} l9 9 l-9 9 l-9 -9 z" fill="${built ? colours.done : palette.card}" stroke="${built ? colours.done : isBuildNext ? palette.orange : palette.axis}" stroke-width="${isBuildNext ? 3 : 2}"/>`;
    return [
      wire,
      `<circle cx="${circle.x}" cy="${y}" r="${circle.radius}" fill="${done ? colours.done : palette.card}" stroke="${ring}" stroke-width="3"/>`,
      label(circle.x, y + 6, done ? '✓' : String(number), {
        fill: done ? palette.card : palette.ink,
        bold: true,
        anchor: 'middle',
      }),
      label(textX, y + 4, truncate(phase.title, 18, 300), { bold: true, size: 18 }),
      label(right, y + 4, isNext ? `you are here · ${count}` : count, {
        fill: isNext ? palette.orange : palette.faintInk,
        anchor: 'end',
      }),
      ...marks,
      build,
    ].join('');
  });
  const legendY = height - 18;
  let x = left;
  const legend = (
    [
      ['open', { done: false, share: 0 }],
      ['read in part', { done: false, share: 0.5 }],
      ['read', { done: false, share: 1 }],
      ['quiz passed', { done: true, share: 1 }],
    ] as const
  ).map(([words, mark]) => {
    const at = x + dot.radius;
    x += 2 * dot.radius + 8 + textWidth(words, 14) + 18;
    return (
      drawMark(mark, at, legendY - 5, false) +
      label(at + dot.radius + 8, legendY, words, { fill: palette.faintInk, size: 14 })
    );
  });
  const diamond = `<path d="M${x + 9} ${legendY - 14} l9 9 l-9 9 l-9 -9 z" fill="${palette.card}" stroke="${palette.axis}" stroke-width="2"/>${label(x + 26, legendY, 'piece of work', { fill: palette.faintInk, size: 14 })}`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="${palette.card}"/>${label(left, 36, 'Your roadmap', { bold: true, size: 20 })}${rows.join('')}${legend.join('')}${diamond}</svg>`;
  return { svg, alt: describe({ phases, next }) };
}

function drawStep(step: Step, x: number, y: number, isNext: boolean): string {
  return drawMark({ done: step.done, share: step.sectionsRead / Math.max(1, step.sections) }, x, y, isNext);
}

function drawMark({ done, share }: { done: boolean; share: number }, x: number, y: number, isNext: boolean): string {
  const stroke = done ? colours.done : isNext ? palette.orange : share > 0 ? palette.blue : palette.axis;
  const r = dot.radius;
  const ring = `<circle cx="${x}" cy="${y}" r="${r}" fill="${done ? colours.done : share >= 1 ? palette.blue : palette.card}" stroke="${stroke}" stroke-width="${isNext ? 3 : 2}"/>`;
  const half =
    !done && share > 0 && share < 1
      ? `<path d="M${x} ${y - r} a${r} ${r} 0 0 0 0 ${2 * r} z" fill="${palette.blue}"/>`
      : '';
  return ring + half;
}

interface LabelStyle {
  readonly fill?: string;
  readonly size?: number;
  readonly bold?: boolean;
  readonly anchor?: 'start' | 'middle' | 'end';
}

function label(
  x: number,
  y: number,
  words: string,
  { fill = palette.ink, size = 16, bold = false, anchor = 'start' }: LabelStyle,
): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" font-family="${fontFamily}" font-size="${size}"${bold ? ' font-weight="bold"' : ''} text-anchor="${anchor}" fill="${fill}">${escaped}</text>`;
}

function describe({ phases, next }: Standing): string {
  const told = phases.map(({ phase, number, steps, built, done }) => {
    const finished = steps.filter((step) => step.done).length;
    const work = built ? ', piece of work built' : '';
    return `phase ${number}, ${phase.title}: ${done ? 'done' : `${finished} of ${steps.length} chapters done${work}`}`;
  });
  const here = next === undefined ? 'All is done' : `You are in phase ${next.phase.number}`;
  return `Your roadmap. ${here}. ${told.join('; ')}.`;
}
