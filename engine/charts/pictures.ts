// Pictures by content: a PNG is stored once under its hash, and a reply names it by that id.

export interface Picture {
  /** SHA-256 of the PNG, hex. */
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

export interface Pictures {
  put(png: Uint8Array): Promise<Picture>;
  /** @returns undefined for an id that is not a stored picture (a malformed id too). */
  get(id: string): Promise<Uint8Array | undefined>;
}
