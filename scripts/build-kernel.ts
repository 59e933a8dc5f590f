// Assembles the text of AdamW's kernel into the module that the engine loads. Run it after editing the text.
import { readFileSync, writeFileSync } from 'node:fs';
import createWabt from 'wabt';

const here = (name: string) => new URL(`../engine/tuning/optimizers/${name}`, import.meta.url);
const wabt = await createWabt();
const { buffer } = wabt.parseWat('adamw.wat', readFileSync(here('adamw.wat'), 'utf8'), { simd: true }).toBinary({});
const lines = [
  '// Written by `npm run build:kernel` from adamw.wat, which is the one to read and to change.',
  `export const adamw_wasm = '${Buffer.from(buffer).toString('base64')}';`,
];
writeFileSync(here('adamw-wasm.ts'), `${lines.join('\n')}\n`);
