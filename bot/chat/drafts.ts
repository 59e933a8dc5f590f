// An answer whose words come one by one, as a front can show it: whoever is slow to show gets the newest draft next.
import type { Answer } from '../../engine/index.ts';

export function createDrafts() {
  let newest: Answer | undefined;
  let ended = false;
  let wake = () => {};
  return {
    add(draft: Answer) {
      newest = draft;
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    async *[Symbol.asyncIterator](): AsyncGenerator<Answer, void> {
      for (;;) {
        // What is finished is shown whole, not as a draft.
        if (ended) return;
        const draft = newest;
        newest = undefined;
        if (draft === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else yield draft;
      }
    },
  };
}
