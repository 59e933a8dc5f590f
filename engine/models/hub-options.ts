// How models of the Hugging Face hub are asked for and where they are kept.
import { z } from 'zod';

/** Plain data: it also goes to the processes that train. */
export const hubOptionsSchema = z.object({
  /** Kept as Hugging Face's own libraries keep theirs: models--org--name/snapshots/commit. */
  cacheDir: z.string().min(1),
  /** Use what is in the cache, and never the network. */
  offline: z.boolean().optional(),
  token: z.string().optional(),
  /** Another server that speaks the hub's API, `https://huggingface.co` unless given. */
  endpoint: z.string().optional(),
});

export type HubOptions = z.output<typeof hubOptionsSchema>;
