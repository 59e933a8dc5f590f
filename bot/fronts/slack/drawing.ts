// What a reply is drawn with: where its pictures and sections lie, and what has been drawn of it so far.
import type { Keepsake } from './actions.ts';

export interface RenderOptions {
  /** The Slack file of a picture; undefined: not uploaded (yet), its words stand for it. */
  readonly fileOf: (pictureId: string) => string | undefined;
  /** Address of a section in the web page; undefined where other people can't open it. */
  readonly sectionUrl: (chapterId: string, sectionId: string) => string | undefined;
  /** Only what the oldest Block Kit had: for a workspace that refuses newer blocks. */
  readonly plain?: boolean;
  /** Tells the live parts of one message from another's. */
  readonly messageKey: string;
}

export interface Drawing extends RenderOptions {
  readonly kept: Keepsake[];
  tables: number;
  buttons: number;
}

/** A message's text is cut where a fence, a table and a character stay whole. */
export const textPart = 2600;

/** Whole lines in parts of at most `room` characters, where a line is no longer than that. */
export function packLines(lines: readonly string[], room: number): readonly string[] {
  const parts: string[] = [];
  for (const line of lines) {
    const last = parts.at(-1);
    if (last !== undefined && last.length + line.length < room) parts[parts.length - 1] = `${last}\n${line}`;
    else parts.push(line);
  }
  return parts;
}
