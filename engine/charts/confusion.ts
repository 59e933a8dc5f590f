// The confusion matrix: which classes a model takes for which. Blue is right, orange is wrong, strength is the row's share.
import { type Chart, fontFamily, palette, renderSvg, textWidth, truncate } from './render.ts';

const whole = (n: number) => n.toLocaleString('en-US');

/** Sizes in pixels by the number of classes: from two big cells to a hundred small ones. */
function chooseLayout(labels: readonly string[]) {
  const k = labels.length;
  const cell = k <= 2 ? 130 : k <= 4 ? 104 : k <= 6 ? 84 : k <= 10 ? 62 : k <= 20 ? 42 : k <= 40 ? 28 : 17;
  const nameSize = k <= 10 ? 16 : k <= 40 ? 14 : 11;
  const maxName = k <= 4 ? 230 : 200;
  const nameWidth = Math.min(maxName, Math.max(...labels.map((label) => textWidth(label, nameSize))));
  const cellWidth = k <= 4 ? cell * 1.45 : cell;
  /** Names under the columns stand upright where they do not fit across. */
  const upright = labels.some((label) => textWidth(label, nameSize) > cellWidth - 8);
  const left = nameWidth + 62;
  const top = 62;
  const bottom = (upright ? nameWidth + 22 : nameSize + 22) + 36;
  return {
    cell: { width: cellWidth, height: cell },
    nameSize,
    nameWidth: nameWidth + 4,
    upright,
    left,
    top,
    width: Math.max(480, left + k * cellWidth + 26),
    height: top + k * cell + bottom,
    bottom,
  };
}

/** White to the full colour: a share of 1 is full, and what is not zero is still seen. */
function tint(share: number, [red, green, blue]: readonly [number, number, number]): string {
  const strength = share === 0 ? 0 : 0.08 + 0.92 * share;
  const mix = (channel: number) => Math.round(255 + (channel - 255) * strength);
  return `rgb(${mix(red)},${mix(green)},${mix(blue)})`;
}

const right = [36, 89, 211] as const;
const wrong = [217, 72, 15] as const;

function describe(labels: readonly string[], confusion: readonly (readonly number[])[]): string {
  const total = confusion.flat().reduce((sum, n) => sum + n, 0);
  const hits = labels.reduce((sum, _, index) => sum + (confusion[index]?.[index] ?? 0), 0);
  if (total === 0) return 'no examples have been counted yet';
  const mistakes = confusion
    .flatMap((row, actual) => row.map((n, predicted) => ({ n, actual, predicted })))
    .filter(({ n, actual, predicted }) => actual !== predicted && n > 0)
    .sort((a, b) => b.n - a.n)
    .slice(0, 3)
    .map(
      ({ n, actual, predicted }) =>
        `${labels[actual]} taken for ${labels[predicted]} ${whole(n)} ${n === 1 ? 'time' : 'times'}`,
    );
  const share = ((100 * hits) / total).toFixed(1);
  const rest = mistakes.length === 0 ? 'no mistakes' : `most frequent mistakes: ${mistakes.join(', ')}`;
  return `${whole(hits)} of ${whole(total)} (${share} %) right over ${labels.length} classes; ${rest}`;
}

/**
 * Draws `confusion[actual][predicted]` (counts, in label order): counts and row percentages where cells are big enough,
 * colour alone for very many classes.
 */
export async function confusionChart({
  title,
  labels,
  confusion,
}: {
  readonly title: string;
  readonly labels: readonly string[];
  readonly confusion: readonly (readonly number[])[];
}): Promise<Chart> {
  const layout = chooseLayout(labels);
  const { cell, nameSize } = layout;
  const gridWidth = cell.width * labels.length;
  const gridHeight = cell.height * labels.length;
  const left = layout.left + Math.max(0, layout.width - 26 - layout.left - gridWidth) / 2;
  const { top } = layout;
  const name = (label: string) => truncate(label, nameSize, layout.nameWidth);
  const style = { fontFamily, fill: palette.ink };
  const faint = { ...style, fill: palette.faintInk, fontSize: 15 };
  const graphic: object[] = [
    {
      type: 'text',
      x: 24,
      y: 16,
      style: { ...style, text: truncate(title, 20, layout.width - 48), fontSize: 20, fontWeight: 'bold' },
    },
    {
      type: 'text',
      x: left + gridWidth / 2,
      y: layout.height - 30,
      style: { ...faint, text: 'predicted', align: 'center' },
    },
    {
      type: 'text',
      x: 20,
      y: top + gridHeight / 2,
      rotation: Math.PI / 2,
      style: { ...faint, text: 'actual', align: 'center' },
    },
  ];
  labels.forEach((label, index) => {
    const middleX = left + (index + 0.5) * cell.width;
    const middleY = top + (index + 0.5) * cell.height;
    graphic.push(
      {
        type: 'text',
        x: left - 10,
        y: middleY,
        style: { ...style, text: name(label), fontSize: nameSize, align: 'right', verticalAlign: 'middle' },
      },
      layout.upright
        ? {
            type: 'text',
            x: middleX,
            y: top + gridHeight + 9,
            rotation: Math.PI / 2,
            style: { ...style, text: name(label), fontSize: nameSize, align: 'right', verticalAlign: 'middle' },
          }
        : {
            type: 'text',
            x: middleX,
            y: top + gridHeight + 9,
            style: { ...style, text: name(label), fontSize: nameSize, align: 'center' },
          },
    );
  });
  confusion.forEach((row, actual) => {
    const support = row.reduce((sum, n) => sum + n, 0);
    row.forEach((n, predicted) => {
      const x = left + predicted * cell.width;
      const y = top + actual * cell.height;
      const share = support === 0 ? 0 : n / support;
      const gap = cell.width > 30 ? 1.5 : 0.5;
      graphic.push({
        type: 'rect',
        shape: {
          x: x + gap,
          y: y + gap,
          width: cell.width - 2 * gap,
          height: cell.height - 2 * gap,
          r: cell.width > 30 ? 5 : 1,
        },
        style: {
          fill: n === 0 ? palette.empty : actual === predicted ? tint(share, right) : tint(share ** 0.7, wrong),
        },
      });
      graphic.push(...cellTexts(n, share, actual === predicted, x + cell.width / 2, y + cell.height / 2, cell.height));
    });
  });
  const svg = await renderSvg({ graphic }, { width: Math.ceil(layout.width), height: Math.ceil(layout.height) });
  return { svg, alt: `${title}: ${describe(labels, confusion)}.` };
}

/** The count, and below it the share of the row where there is room. */
function cellTexts(n: number, share: number, hit: boolean, x: number, y: number, height: number): object[] {
  if (height < 28) return [];
  if (n === 0 && height < 60) return [];
  const withShare = height >= 60 && n > 0;
  const style = {
    fontFamily,
    align: 'center',
    verticalAlign: 'middle',
    fill: n === 0 ? palette.axis : share > (hit ? 0.5 : 0.6) ? palette.card : palette.ink,
  };
  const size = height >= 100 ? 26 : height >= 80 ? 22 : height >= 60 ? 18 : height >= 40 ? 14 : 11;
  const countText =
    n < 100_000 ? whole(n) : n.toLocaleString('en-US', { notation: 'compact', maximumFractionDigits: 1 });
  const fitted = Math.min(size, (size * (height * 1.1)) / Math.max(1, textWidth(countText, size)));
  return [
    {
      type: 'text',
      x,
      y: withShare ? y - size * 0.45 : y,
      style: { ...style, text: countText, fontSize: fitted, fontWeight: 'bold' },
    },
    ...(withShare
      ? [
          {
            type: 'text',
            x,
            y: y + size * 0.7,
            style: { ...style, text: share < 0.005 ? '< 1 %' : `${(100 * share).toFixed(0)} %`, fontSize: size * 0.66 },
          },
        ]
      : []),
  ];
}
