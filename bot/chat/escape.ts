// Other people's words inside our markdown: the engine shows documents with the same care.
export { code, plain, shorten } from '../../engine/index.ts';
