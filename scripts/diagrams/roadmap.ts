// The roadmap, drawn from the chapters' own front matter: phases in rows, an arrow from each chapter to what builds on it.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { arrow, type Drawing, type Hue, rect, words } from './draw.ts';

const guide = new URL('../../knowledge/guide/', import.meta.url);
const frontMatter = z.object({ phase: z.string(), prerequisites: z.array(z.string()) });

const rows: readonly (readonly [phase: string, hue: Hue])[] = [
  ['foundations', 'blue'],
  ['core', 'purple'],
  ['practice', 'gold'],
  ['fine-tuning', 'green'],
  ['projects', 'orange'],
];
const shortNames: { readonly [id: string]: string } = {
  'what-is-machine-learning': 'what is\nML',
  'how-ml-works': 'how ML\nworks',
  'types-of-ml': 'types\nof ML',
  'overfitting-underfitting': 'over- and\nunderfitting',
  'bias-variance': 'bias and\nvariance',
  'curse-of-dimensionality': 'curse of\ndimensions',
  'feature-engineering': 'feature\nengineering',
  'neural-networks': 'neural\nnetworks',
  'data-preparation': 'data\npreparation',
  'evaluation-metrics': 'evaluation\nmetrics',
  hyperparameters: 'hyper-\nparameters',
  generalization: 'general-\nization',
  'fine-tuning-data': 'fine-tuning\ndata',
  'fine-tuning': 'fine-\ntuning',
  peft: 'PEFT,\nLoRA',
  rlhf: 'RLHF,\nDPO',
};

function drawRoadmap(): Drawing {
  const order = z.array(z.string()).parse(parse(readFileSync(new URL('order.yaml', guide), 'utf8')));
  const chapters = order.map((id) => {
    const text = readFileSync(new URL(`${id}.md`, guide), 'utf8');
    return { id, ...frontMatter.parse(parse(text.split('\n---\n')[0] ?? '')) };
  });
  const known = new Set(order);
  const perRow = 5;
  const [boxWidth, boxHeight, gapX] = [118, 58, 8];
  const gutter = 64;
  const places = new Map<string, { x: number; y: number; hue: Hue }>();
  const labels: string[] = [];
  let y = 70;
  for (const [phase, hue] of rows) {
    const ids = chapters.filter((chapter) => chapter.phase === phase).map(({ id }) => id);
    const lines = Math.ceil(ids.length / perRow);
    const height = lines * (boxHeight + 34) - 34;
    labels.push(
      rect(22, y, 32, Math.max(height, 128), { fill: `${hue}Wash` }, 6) +
        words(38, y + Math.max(height, 128) / 2, phase, { bold: true, color: hue, turn: -90 }),
    );
    ids.forEach((id, index) => {
      places.set(id, {
        x: gutter + (index % perRow) * (boxWidth + gapX),
        y: y + Math.max(0, 128 - height) / 2 + Math.floor(index / perRow) * (boxHeight + 34),
        hue,
      });
    });
    y += Math.max(height, 128) + 22;
  }
  const needed = chapters.flatMap(({ id, prerequisites }) =>
    prerequisites.filter((other) => known.has(other)).map((other) => [other, id] as const),
  );
  // What is reached through another chapter needs no arrow of its own.
  const leadsTo = (from: string, to: string): boolean =>
    needed.some(([a, b]) => a === from && (b === to || leadsTo(b, to)));
  const direct = needed.filter(([from, to]) => !needed.some(([a, b]) => a === from && b !== to && leadsTo(b, to)));
  const links = direct.flatMap(([from, to]) => {
    const [a, b] = [places.get(from), places.get(to)];
    if (a === undefined || b === undefined) return [];
    const start = [a.x + boxWidth / 2, a.y + boxHeight] as const;
    const beside = a.y === b.y;
    const points =
      beside && b.x - a.x === boxWidth + gapX
        ? ([
            [a.x + boxWidth, a.y + boxHeight / 2],
            [b.x, b.y + boxHeight / 2],
          ] as const)
        : beside
          ? ([
              start,
              [start[0], a.y + boxHeight + 14],
              [b.x + boxWidth / 2, b.y + boxHeight + 14],
              [b.x + boxWidth / 2, b.y + boxHeight],
            ] as const)
          : b.y < a.y
            ? ([
                [a.x + boxWidth / 2, a.y],
                [b.x + boxWidth / 2, b.y + boxHeight],
              ] as const)
            : ([start, [b.x + boxWidth / 2, b.y]] as const);
    return [arrow(points, { stroke: a.hue, width: 1.8, opacity: 0.65 })];
  });
  return {
    name: 'roadmap',
    title: 'The chapters, and what builds on what',
    desc: `The guide's chapters by phase: ${rows
      .map(
        ([phase]) =>
          `${phase}: ${chapters
            .filter((chapter) => chapter.phase === phase)
            .map(({ id }) => id.replaceAll('-', ' '))
            .join(', ')}`,
      )
      .join('; ')}. An arrow leads from a chapter to one that needs it.`,
    height: y + 6,
    body: [
      ...links,
      ...[...places].map(([id, { x, y: top, hue }]) => {
        const lines = (shortNames[id] ?? id.replace('project-', '').replace('-', '\n').replaceAll('-', ' ')).split(
          '\n',
        );
        return (
          rect(x, top, boxWidth, boxHeight, { fill: `${hue}Wash`, stroke: hue }) +
          lines
            .map((each, index) =>
              words(x + boxWidth / 2, top + boxHeight / 2 + (index - (lines.length - 1) / 2) * 23, each, { size: 18 }),
            )
            .join('')
        );
      }),
      ...labels,
    ],
  };
}

export const roadmap: readonly Drawing[] = [drawRoadmap()];
