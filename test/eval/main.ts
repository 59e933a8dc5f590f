// npm run eval [-- name]: the honest figures, on data that neither training nor any choice of ours has seen.
import { runByName } from '../support/run-by-name.ts';

runByName(
  {
    sentiment: 'test/eval/sentiment.ts',
    search: 'test/eval/search.ts',
    answers: 'test/eval/answers.ts',
    premises: 'test/eval/premises.ts',
    material: 'test/eval/material.ts',
  },
  process.argv.slice(2),
);
