// npm run bench [-- name]: how fast and how large.
import { runByName } from '../support/run-by-name.ts';

runByName(
  {
    search: 'test/bench/search.ts',
    material: 'test/bench/material.ts',
    train: 'test/bench/train.ts',
    qlora: 'test/bench/qlora.ts',
    forecast: 'test/bench/forecast.ts',
    load: 'test/bench/load.ts',
  },
  process.argv.slice(2),
);
