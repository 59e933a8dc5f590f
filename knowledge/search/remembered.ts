// The analysis of the shipped guide at once: it takes a second of work, so it is remembered beside the guide.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { hashOf, recallOr } from '../memory.ts';
import { type Analysis, analyseGuide, type GuideText } from './analysis.ts';

const searchFolder = fileURLToPath(new URL('.', import.meta.url));
/** Names the versions of the stemmer and of the index. */
const packages = new URL('../../package.json', import.meta.url);

/** @param memory a folder; a guide without a hash is always analysed. */
export async function loadAnalysis(guide: GuideText, memory: string): Promise<Analysis> {
  if (guide.hash === undefined) return analyse(guide);
  const [own, versions] = await Promise.all([hashOf([searchFolder]), readFile(packages)]);
  const hash = createHash('sha256').update(guide.hash).update(own).update(versions).digest('hex');
  return recallOr({ folder: memory, name: 'search', hash }, () => analyse(guide));
}

/** YAML and its checks are loaded only when there is something to analyse. */
async function analyse(guide: GuideText): Promise<Analysis> {
  const [{ readSynonyms }, { readOutside }] = await Promise.all([
    import('./read-synonyms.ts'),
    import('./read-outside.ts'),
  ]);
  const [synonyms, outside] = await Promise.all([readSynonyms(), readOutside()]);
  return analyseGuide(guide, synonyms, Object.values(outside).flat());
}
