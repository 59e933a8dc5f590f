// Pixels to the numbers a model was trained on, as its preprocessor_config.json says: resize, crop, scale, normalise.
import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { cropCentre, type FilterName, type Pixels, resizePixels } from './resize.ts';

const edge = z.number().int().min(1).max(4096);
const rectangle = z.object({ height: edge, width: edge });
const three = z.array(z.number()).length(3);

const configSchema = z.object({
  do_resize: z.boolean().default(true),
  size: z.union([rectangle, z.object({ shortest_edge: edge }), edge]).default({ shortest_edge: 224 }),
  crop_pct: z.number().gt(0).max(1).nullish(),
  resample: z.number().int().default(2),
  do_center_crop: z.boolean().default(false),
  crop_size: z.union([rectangle, edge.transform((side) => ({ height: side, width: side }))]).optional(),
  do_rescale: z.boolean().default(true),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: three.default([0.5, 0.5, 0.5]),
  image_std: three.default([0.5, 0.5, 0.5]),
});

/** PIL.Image.Resampling. */
const resample_filters: { readonly [number: number]: FilterName } = { 1: 'lanczos', 2: 'bilinear', 3: 'bicubic' };

export interface Preprocessor {
  readonly width: number;
  readonly height: number;
  /** Resized and cropped, still bytes. */
  fit(pixels: Pixels): Pixels;
  /** [channels, height, width], scaled and normalised, into `target` from `offset` on. */
  normalize(fitted: Pixels, target: Float32Array, offset: number): void;
}

/** For a model that comes without one: ResNet's own training, the shorter side to 256 and the middle 224 of it. */
export const imagenet_preprocessing = {
  size: { shortest_edge: 224 },
  crop_pct: 0.875,
  resample: 3,
  image_mean: [0.485, 0.456, 0.406],
  image_std: [0.229, 0.224, 0.225],
} as const;

/** @throws UserError naming the file and the field. */
export function createPreprocessor(config: { readonly [key: string]: unknown }, source: string): Preprocessor {
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(
      `${source}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'does not describe a preprocessor'}`,
      'Take preprocessor_config.json from the model’s own folder.',
    );
  }
  const settings = parsed.data;
  const filter = resample_filters[settings.resample];
  if (filter === undefined) {
    throw new UserError(
      `${source}: resample ${settings.resample} is not supported.`,
      'Supported: 1 (Lanczos), 2 (bilinear), 3 (bicubic).',
    );
  }
  const { crop_pct: share } = settings;
  const size = sizeOf(settings);
  const square = 'shortest_edge' in size ? { height: size.shortest_edge, width: size.shortest_edge } : size;
  const crop = settings.do_center_crop || share ? (settings.crop_size ?? square) : undefined;
  if ('shortest_edge' in size && !crop) {
    throw new UserError(
      `${source}: without a crop every picture has another size.`,
      'Set do_center_crop, or size to a height and a width.',
    );
  }
  const { width, height } = crop ?? square;
  const factor = settings.do_rescale ? settings.rescale_factor : 1;
  const means = settings.do_normalize ? settings.image_mean : [0, 0, 0];
  const deviations = settings.do_normalize ? settings.image_std : [1, 1, 1];
  return {
    width,
    height,
    fit(pixels) {
      const target = settings.do_resize ? resizedSize(pixels, size, share ?? 1) : pixels;
      const resized = resizePixels(pixels, target.width, target.height, filter);
      return crop ? cropCentre(resized, width, height) : resized;
    },
    normalize({ channels, data }, target, offset) {
      const places = width * height;
      if (data.length !== places * channels)
        throw new Error(`${data.length} bytes are not ${width} × ${height} pixels`);
      for (let channel = 0; channel < channels; channel++) {
        const mean = means[channel] ?? 0;
        const deviation = deviations[channel] ?? 1;
        for (let place = 0; place < places; place++) {
          const value = (data[place * channels + channel] ?? 0) * factor;
          target[offset + channel * places + place] = (value - mean) / deviation;
        }
      }
    },
  };
}

type Size = z.output<typeof rectangle> | { readonly shortest_edge: number };

/** One number is the shorter side where a crop follows, else both; from 384 pixels on crop_pct no longer crops. */
function sizeOf({ size, crop_pct: share, do_center_crop: crops }: z.output<typeof configSchema>): Size {
  const side = typeof size === 'number' ? size : 'shortest_edge' in size ? size.shortest_edge : undefined;
  if (share && side !== undefined && side >= 384) return { height: side, width: side };
  if (typeof size !== 'number') return size;
  return share || crops ? { shortest_edge: size } : { height: size, width: size };
}

/** Rounded down, as transformers does. With `share`, more than the crop is kept around it. */
function resizedSize({ width, height }: Pixels, size: Size, share: number): { width: number; height: number } {
  if (!('shortest_edge' in size)) return size;
  const shortest = Math.trunc(size.shortest_edge / share);
  const longest = Math.trunc((shortest * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: shortest, height: longest } : { width: longest, height: shortest };
}
