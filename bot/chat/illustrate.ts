// Puts the guide's own pictures into an answer: formulas where their words stand, and the diagram of the section it is from.
import type { Answer, Illustration, Illustrations } from '../../engine/index.ts';
import type { Block } from './message.ts';
import { text } from './reply.ts';

/** More than this, and the words get lost between them. */
const mostFormulas = 4;

export async function illustrate(
  blocks: readonly Block[],
  { kind, abstained, citations }: Pick<Answer, 'kind' | 'abstained' | 'citations'>,
  illustrations: Illustrations,
): Promise<readonly Block[]> {
  const shown: Block[] = [];
  for (const block of blocks)
    shown.push(...(block.kind === 'text' ? await drawFormulas(block, illustrations) : [block]));
  if (abstained || !drawn.has(kind)) return shown;
  const diagram = await findDiagram(citations, illustrations);
  if (diagram === undefined) return shown;
  const after = shown.findIndex(({ kind: of }) => of !== 'text' && of !== 'picture');
  const at = after < 0 ? shown.length : after;
  return [...shown.slice(0, at), toBlock(diagram), ...shown.slice(at)];
}

const drawn: ReadonlySet<Answer['kind']> = new Set(['explanation', 'comparison', 'sum']);

/** That of the place cited first; a comparison rests on several places, and any of them may have one. */
async function findDiagram(citations: Answer['citations'], illustrations: Illustrations) {
  for (const { chapterId, sectionId } of citations) {
    const diagram = await illustrations.diagramOf(chapterId, sectionId);
    if (diagram !== undefined) return diagram;
  }
  return undefined;
}

/** Blocks of plain text that are a formula of the guide become its picture. */
async function drawFormulas(
  block: Extract<Block, { kind: 'text' }>,
  illustrations: Illustrations,
): Promise<readonly Block[]> {
  const blocks: Block[] = [];
  let rest = 0;
  let count = 0;
  for (const match of block.markdown.matchAll(/^```text\n([\s\S]*?)\n```$/gm)) {
    const formula = count < mostFormulas ? await illustrations.formula(match[1] ?? '') : undefined;
    if (formula === undefined) continue;
    count += 1;
    const before = block.markdown.slice(rest, match.index).trim();
    if (before !== '') blocks.push(text(before));
    blocks.push(toBlock(formula));
    rest = match.index + match[0].length;
  }
  const after = block.markdown.slice(rest).trim();
  return rest === 0 ? [block] : after === '' ? blocks : [...blocks, text(after)];
}

function toBlock({ picture, alt, of }: Illustration): Block {
  const { id, width, height } = picture;
  return { kind: 'picture', pictureId: id, width, height, alt, of };
}
