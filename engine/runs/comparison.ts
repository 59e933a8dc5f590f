// What a model of images and texts is asked: which of some captions fits a picture, or which of some pictures a caption.
import { z } from 'zod';

/** As data:image/…;base64,…: a picture is given with its bytes, never as a path. */
const picture = z.string().regex(/^data:image\/[\w.+-]+;base64,[\w+/]+=*$/);
const caption = z.string().trim().min(1).max(10_000);

/** Handed to a predictor as JSON. */
export const comparisonSchema = z.union([
  z.strictObject({ image: picture, captions: z.array(caption).min(1).max(1000) }),
  z.strictObject({
    caption,
    images: z
      .array(z.strictObject({ name: z.string().min(1).max(300), image: picture }))
      .min(1)
      .max(1000),
  }),
]);

export type Comparison = z.output<typeof comparisonSchema>;
