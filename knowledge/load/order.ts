// The reading order of the chapters, kept in one file of its own: `order.yaml`, a list of chapter ids.
import { z } from 'zod';
import type { Chapter } from '../types.ts';
import type { Problem } from './problem.ts';
import { readYaml } from './yaml.ts';

interface Ordered {
  readonly chapters: readonly Chapter[];
  readonly problems: readonly Problem[];
}

/** @param source the file's text; undefined where there is none: the chapters then keep the order of their ids. */
export function orderChapters(chapters: readonly Chapter[], source: string | undefined, file: string): Ordered {
  if (source === undefined) return { chapters, problems: [] };
  const { value = [], problems, lineOf } = readYaml(source, z.array(z.string()), file);
  const ids = new Set(chapters.map(({ id }) => id));
  const found: Problem[] = value.flatMap((id, index) => {
    const line = lineOf([index]);
    if (!ids.has(id)) return { file, line, message: `there is no chapter "${id}"` };
    return value.indexOf(id) === index ? [] : { file, line, message: `chapter "${id}" stands twice` };
  });
  for (const id of ids) {
    if (!value.includes(id)) found.push({ file, line: 1, message: `chapter "${id}" is missing` });
  }
  return {
    chapters: chapters.toSorted((a, b) => value.indexOf(a.id) - value.indexOf(b.id)),
    problems: [...problems, ...found],
  };
}
