// `npm run diagrams` writes the guide's diagrams anew.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { toSvg } from './draw.ts';
import { drawings } from './drawings.ts';

const folder = fileURLToPath(new URL('../../knowledge/guide/diagrams/', import.meta.url));
for (const drawing of drawings) await writeFile(`${folder}${drawing.name}.svg`, toSvg(drawing));
console.log(`${drawings.length} diagrams`);
