// Suggestions while somebody types: concepts of the guide, chapters with a quiz, recipes, the workspace's runs, its data.
import type { Engine } from '../../../engine/index.ts';
import type { Guide } from '../../../knowledge/index.ts';
import { shorten } from '../../chat/escape.ts';
import { recipes } from '../../chat/recipes.ts';
import { statusWords } from '../../chat/run-card.ts';
import { limits } from './limits.ts';
import type { Suggested } from './slash-options.ts';

interface Suggestion {
  readonly name: string;
  readonly value: string;
}

export type Suggest = (from: Suggested, typed: string, workspaceId: string) => Promise<readonly Suggestion[]>;

export function createSuggest(
  engine: Pick<Engine, 'quizzes' | 'roadmap' | 'runs' | 'datasets' | 'demos'>,
  guide: Guide,
): Suggest {
  const concepts = guide.chapters.flatMap(({ id, title, sections }) => [
    { name: title, value: id },
    ...sections
      .filter((section) => section.title !== title && guide.section(id, section.id) !== undefined)
      .map((section) => ({ name: `${section.title} (${title})`, value: `${id}#${section.id}` })),
  ]);

  const sources: { readonly [S in Suggested]: (workspaceId: string) => Promise<readonly Suggestion[]> } = {
    concepts: async () => concepts,
    roadmap: async () => [
      ...engine.roadmap.phases.map(({ id, title }, index) => ({ name: `Phase ${index + 1}: ${title}`, value: id })),
      ...concepts,
    ],
    demos: async () => engine.demos.list.map(({ id, title }) => ({ name: title, value: id })),
    chapters: async () => engine.quizzes.chapters.map(({ chapterId, title }) => ({ name: title, value: chapterId })),
    runs: async (workspaceId) =>
      (await engine.runs.list(workspaceId, 50)).map(({ name, status, datasetName }) => ({
        name: `${name}: ${datasetName}, ${statusWords[status]}`,
        value: name,
      })),
    recipes: async () =>
      Object.entries(recipes).map(([name, { summary }]) => ({ name: `${name}: ${summary}`, value: name })),
    data: async (workspaceId) => [
      ...engine.datasets.samples.map(({ id, title }) => ({ name: `Sample: ${title}`, value: id })),
      ...(await engine.datasets.list(workspaceId)).map(({ id, name, rows }) => ({
        name: `${name}: ${rows} examples`,
        value: id,
      })),
    ],
  };

  return async (from, typed, workspaceId) => {
    const wanted = typed.toLowerCase().trim();
    const all = await sources[from](workspaceId);
    const begins = all.filter(({ name }) => name.toLowerCase().startsWith(wanted));
    const holds = all.filter(({ name, value }) => `${name} ${value}`.toLowerCase().includes(wanted));
    return [...new Set([...begins, ...holds])].slice(0, limits.autocomplete.choices).map(({ name, value }) => ({
      name: shorten(name, limits.autocomplete.nameCharacters),
      value: value.slice(0, limits.autocomplete.valueCharacters),
    }));
  };
}
