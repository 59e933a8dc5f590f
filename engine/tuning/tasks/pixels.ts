// Pictures as feeds: decoded and fitted when first needed, and kept as bytes while there is room.
import { decodePicture } from '../../data/images/decode.ts';
import type { Preprocessor } from '../../data/images/preprocess.ts';
import type { Pixels } from '../../data/images/resize.ts';
import type { PixelRows } from '../features.ts';

export interface ReadablePicture {
  readonly name: string;
  read(): Promise<Uint8Array>;
}

/** Bytes of fitted pictures that are kept; those beyond are decoded each time. */
const keptBytes = 512 * 2 ** 20;

export function pixelRows(pictures: readonly ReadablePicture[], preprocessor: Preprocessor): PixelRows {
  const kept = new Map<number, Pixels>();
  const { width, height } = preprocessor;
  const size = 3 * width * height;
  const mostKept = Math.floor(keptBytes / size);

  async function fit(index: number): Promise<Pixels> {
    const known = kept.get(index);
    if (known) return known;
    const picture = pictures[index];
    if (!picture) throw new Error(`no picture ${index}`);
    const fitted = preprocessor.fit(await decodePicture(await picture.read(), picture.name));
    if (kept.size < mostKept) kept.set(index, fitted);
    return fitted;
  }

  return {
    count: pictures.length,
    async load(indices, rows) {
      const data = new Float32Array(rows * size);
      const fitted = await Promise.all(indices.map(fit));
      fitted.forEach((one, row) => {
        preprocessor.normalize(one, data, row * size);
      });
      return { pixelValues: { type: 'float32', shape: [rows, 3, height, width], data } };
    },
  };
}
