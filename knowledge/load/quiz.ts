// Reads one quiz file: the multiple-choice items of a chapter, each wrong choice with its own correction.
import { z } from 'zod';
import type { QuizItem } from '../types.ts';
import { kebabCase } from './chapter.ts';
import type { Problem } from './problem.ts';
import { readYaml } from './yaml.ts';

const words = z.string().trim().min(1, 'must not be empty');
/** The verdict is shown by the quiz itself. */
const feedback = words.refine((said) => !/^(right|wrong|correct|incorrect|yes|no)\b\s*[.:,;!–—]/i.test(said), {
  message: 'must say why, not begin with a verdict such as "Right:"',
});
const itemSchema = z.strictObject({
  id: z.string(),
  section: z.string().regex(kebabCase, 'a section id is lower-case words joined by "-"'),
  difficulty: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  question: words,
  choices: z
    .array(z.strictObject({ id: z.string().regex(/^[a-z]$/, 'one lower-case letter'), text: words, feedback }))
    .min(3)
    .max(5),
  correct: z.string(),
});

export interface QuizFile {
  readonly items: readonly { readonly item: QuizItem; readonly line: number }[];
  readonly problems: readonly Problem[];
}

/** @param chapterId the file's name without `.yaml`; every item's id starts with it. */
export function readQuiz(source: string, file: string, chapterId: string): QuizFile {
  const { value, problems, lineOf } = readYaml(source, z.array(itemSchema).min(1), file);
  if (!value) return { items: [], problems };
  const found: Problem[] = [];
  const items = value.map(({ id, section, difficulty, question, choices, correct }, index) => {
    const report = (field: string, message: string) =>
      found.push({ file, line: lineOf([index, field]), message: `${id}: ${message}` });
    const [prefix, slug, ...more] = id.split('.');
    if (prefix !== chapterId || slug === undefined || !kebabCase.test(slug) || more.length > 0) {
      report('id', `an item's id is "${chapterId}.<slug>", the slug lower-case words joined by "-"`);
    }
    for (const field of ['id', 'text', 'feedback'] as const) {
      const twice = firstRepeat(choices.map((choice) => choice[field].toLowerCase()));
      if (twice !== undefined) report('choices', `two choices have the same ${field}: "${twice}"`);
    }
    if (!choices.some((choice) => choice.id === correct)) report('correct', `no choice has the id "${correct}"`);
    const item: QuizItem = {
      id,
      chapterId,
      sectionId: section,
      question,
      choices,
      correctChoiceId: correct,
      difficulty,
    };
    return { item, line: lineOf([index]) };
  });
  return { items, problems: found };
}

function firstRepeat(texts: readonly string[]): string | undefined {
  return texts.find((text, index) => texts.indexOf(text) !== index);
}
