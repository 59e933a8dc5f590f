// Seals small secrets for the database: AES-256-GCM, bound to what they belong to, so a row copied elsewhere does not open.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export interface Seal {
  seal(secret: string, belongsTo: string): string;
  /** @throws Error for a sealed text that was changed, belongs to something else, or was sealed with another key. */
  open(sealed: string, belongsTo: string): string;
}

const version = 'v1';

/** @param key any secret of at least 32 characters. */
export function createSeal(key: string): Seal {
  if (key.length < 32) throw new RangeError('a sealing key needs at least 32 characters');
  const secretKey = Buffer.from(hkdfSync('sha256', key, 'finetutor', 'slack installations', 32));
  return {
    seal(secret, belongsTo) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', secretKey, iv).setAAD(Buffer.from(belongsTo));
      const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return [version, ...[iv, cipher.getAuthTag(), sealed].map((part) => part.toString('base64url'))].join('.');
    },
    open(sealed, belongsTo) {
      const [found, ...parts] = sealed.split('.');
      const [iv, tag, data] = parts.map((part) => Buffer.from(part, 'base64url'));
      if (found !== version || iv === undefined || tag?.length !== 16 || data === undefined) {
        throw new Error('this was not sealed by us');
      }
      const decipher = createDecipheriv('aes-256-gcm', secretKey, iv).setAAD(Buffer.from(belongsTo)).setAuthTag(tag);
      return Buffer.concat([decipher.update(data), decipher.final()]).toString('utf8');
    },
  };
}
