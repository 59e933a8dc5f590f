// Opens a picture file as red, green and blue bytes, within limits; what cannot be opened says why.
import sharp from 'sharp';
import { UserError } from '../../errors.ts';
import type { Pixels } from './resize.ts';

/** A picture with more is refused before it is unpacked. */
const mostPixels = 100_000_000;

export const picture_extensions = ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.bmp', '.tif', '.tiff', '.avif'] as const;

/**
 * Turned as its camera says, without transparency, grey spread over three channels; colour profiles are not applied,
 * as Python's readers do not apply them.
 * @param name shown in errors.
 * @throws UserError when it is no picture, is damaged or is too large.
 */
export async function decodePicture(bytes: Uint8Array, name: string): Promise<Pixels> {
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels: mostPixels, failOn: 'error', ignoreIcc: true })
      .autoOrient()
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (channels === 3) return { width, height, channels, data };
    if (channels !== 1) throw new Error(`${channels} channels`);
    const spread = new Uint8Array(data.length * 3);
    for (const [at, grey] of data.entries()) spread.fill(grey, at * 3, at * 3 + 3);
    return { width, height, channels: 3, data: spread };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `${name} is not a picture that can be opened: ${reason.slice(0, 120)}`,
      `Use whole JPEG, PNG or WebP files of at most ${mostPixels / 1e6} million pixels.`,
      { cause: error },
    );
  }
}
