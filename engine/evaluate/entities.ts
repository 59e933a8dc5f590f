// Whole names in tagged words, as CoNLL-2003 counts them: one is right when its first word, last word and type are.

export interface Entity {
  readonly type: string;
  /** First word, and one past the last. */
  readonly start: number;
  readonly end: number;
}

/** Spans of BIO, BIOES and IO tags; an I- that continues nothing begins a span, as in conlleval. */
export function findEntities(tags: readonly string[]): Entity[] {
  const entities: Entity[] = [];
  let open: { type: string; start: number } | undefined;
  const close = (end: number) => {
    if (open) entities.push({ ...open, end });
    open = undefined;
  };
  tags.forEach((tag, index) => {
    const [, prefix = '', type = ''] = /^([BIESLU])-(.+)$/.exec(tag) ?? [];
    if (prefix === '') {
      close(index);
      return;
    }
    if (!open || open.type !== type || prefix === 'B' || prefix === 'S' || prefix === 'U') {
      close(index);
      open = { type, start: index };
    }
    if (prefix === 'E' || prefix === 'S' || prefix === 'L' || prefix === 'U') close(index + 1);
  });
  close(tags.length);
  return entities;
}

const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);

/** Micro-averaged over all sentences; 0 where it would divide by zero. Undefined when no tag opens a name. */
export function entityScores(
  actual: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): { precision: number; recall: number; f1: number; support: number } | undefined {
  if (!actual.some((tags) => tags.some((tag) => /^[BIESLU]-./.test(tag)))) return undefined;
  const keys = (tags: readonly string[]) => findEntities(tags).map(({ type, start, end }) => `${start} ${end} ${type}`);
  let hits = 0;
  let found = 0;
  let support = 0;
  actual.forEach((tags, index) => {
    const truth = new Set(keys(tags));
    const ours = keys(predicted[index] ?? []);
    support += truth.size;
    found += ours.length;
    hits += ours.filter((key) => truth.has(key)).length;
  });
  const precision = ratio(hits, found);
  const recall = ratio(hits, support);
  return { precision, recall, f1: ratio(2 * precision * recall, precision + recall), support };
}
