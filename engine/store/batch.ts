// Many small writes of the same kind as few statements: what is asked for while one is under way goes into the next.

/** At most so many in one statement, far below what PostgreSQL takes as parameters. */
const largest = 500;

/** @param write takes a batch, and answers each of it in the same order. @returns what writes one. */
export function createBatch<Item, Answer>(
  write: (items: readonly Item[]) => Promise<readonly Answer[]>,
): (item: Item) => Promise<Answer> {
  const waiting: { readonly item: Item; resolve(answer: Answer): void; reject(error: unknown): void }[] = [];
  let isWriting = false;

  async function writeAll() {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, largest);
      try {
        const answers = await write(batch.map(({ item }) => item));
        for (const [index, { resolve, reject }] of batch.entries()) {
          if (index in answers) resolve(answers[index] as Answer);
          else reject(new RangeError(`${answers.length} answers to a batch of ${batch.length}`));
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isWriting = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (isWriting) return;
      isWriting = true;
      setImmediate(() => void writeAll());
    });
}
