// When two texts count as the same: duplicates are found and splits kept apart by this.

/** Case, width, accents' composition and spacing do not make a text different. */
export function normalizeText(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}
