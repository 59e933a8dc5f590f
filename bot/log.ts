// The log: JSON lines on stderr for machines, one readable line each for a person at a terminal, and never a secret.
import type { Writable } from 'node:stream';
import { type Logger, pino, stdTimeFunctions } from 'pino';

export interface LogOptions {
  readonly level: string;
  /** Values that must not appear in any line, wherever they would come from. */
  readonly secrets: readonly string[];
  readonly stream: Writable & { readonly isTTY?: boolean };
}

export function createLog({ level, secrets, stream }: LogOptions): Logger {
  const write = (line: string) => {
    const safe = secrets.reduce((text, secret) => text.replaceAll(asJson(secret), '[secret]'), line);
    stream.write(stream.isTTY ? readable(safe) : safe);
  };
  return pino({ level, base: null, timestamp: stdTimeFunctions.isoTime }, { write });
}

/** As it stands inside a JSON string. */
const asJson = (text: string) => JSON.stringify(text).slice(1, -1);

function readable(line: string): string {
  const { time, level, msg, err, ...rest } = JSON.parse(line);
  const more = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`;
  const stack = err?.stack === undefined ? '' : `\n${err.stack}`;
  return `${String(time).slice(11, 19)} ${pino.levels.labels[level] ?? level} ${msg ?? ''}${more}${stack}\n`;
}
