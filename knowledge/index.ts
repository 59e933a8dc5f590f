// The door of the knowledge folder: load the guide, search it, show it.
export { cutBlocks, type SectionBlock, type Sentence } from './chunk/blocks.ts';
export { loadShippedEmbedder } from './embed/shipped.ts';
export { overviewId } from './load/link.ts';
export { GuideError } from './load/problem.ts';
export { loadGuide } from './load/remembered.ts';
export { renderMarkdown } from './load/render.ts';
export { createSearch } from './search/search.ts';
export type * from './types.ts';
