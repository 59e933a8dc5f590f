// The door of the knowledge folder: load the guide, search it, show it.
export { cutBlocks, type SectionBlock, type Sentence } from './chunk/blocks.ts';
export { inlineDiagram, paintDiagram } from './diagrams/palette.ts';
export {
  type DocumentPassage,
  DocumentProblem,
  documentLimits,
  type ReadDocument,
} from './documents/document.ts';
export { createReadApart, type ReadDocumentAt } from './documents/read-apart.ts';
export { loadShippedEmbedder } from './embed/shipped.ts';
export { type DrawnFormula, drawFormula } from './formulas/draw.ts';
export { type Formula, readFormula } from './formulas/written.ts';
export { overviewId } from './load/link.ts';
export { GuideError } from './load/problem.ts';
export { loadGuide } from './load/remembered.ts';
export { renderMarkdown } from './load/render.ts';
export { stemsOf } from './search/content.ts';
export {
  createMaterialSearch,
  type Fit,
  type MaterialSearch,
  type PreparedPassage,
  type Shelf,
} from './search/material.ts';
export { createSearch } from './search/search.ts';
export type * from './types.ts';
