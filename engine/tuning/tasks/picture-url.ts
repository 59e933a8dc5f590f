// Pictures as they are asked about: with their bytes, never as a path, for whoever asks must not make us read our files.
import { UserError } from '../../errors.ts';

const pattern = /^data:image\/[\w.+-]+;base64,[\w+/]+=*$/;

/** The bytes of data:image/…;base64,…. @throws UserError for anything else. */
export function readPictureUrl(input: string): Uint8Array {
  if (pattern.test(input)) return Buffer.from(input.slice(input.indexOf(',') + 1), 'base64');
  throw new UserError('That is no picture.', 'Give a picture as data:image/…;base64,….');
}
