// Runs after `npm install` / `npm ci`: says in one line what an optional part that could not be built costs, and reads
// and indexes the guide once, so that the first start need not.
import { createRequire } from 'node:module';
import { register } from 'tsx/esm/api';

const require = createRequire(import.meta.url);
try {
  require('hnswlib-node');
} catch {
  console.log(
    'finetutor: hnswlib-node is not available (it compiles at install and needs python3, make and a C++ compiler). ' +
      'Nothing else is lost: exact vector search serves instead, slower only above several thousand passages.',
  );
}

register();
const { createSearch, loadGuide } = await import('../knowledge/index.ts');
await createSearch({ guide: await loadGuide() });
