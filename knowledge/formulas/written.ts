// How the guide writes a formula: a ```math block whose first lines, comments to TeX, are the formula in plain words.

export interface Formula {
  /** The formula as plain text, line by line: for the terminal, for search and for those who cannot see it. */
  readonly words: string;
  /** LaTeX, display style. */
  readonly tex: string;
}

/** @param block what stands between the fences. @returns undefined where the words or the formula are missing. */
export function readFormula(block: string): Formula | undefined {
  const lines = block.split('\n');
  const firstTex = lines.findIndex((line) => !line.startsWith('%'));
  if (firstTex <= 0) return undefined;
  const words = lines
    .slice(0, firstTex)
    .map((line) => line.replace(/^% ?/, ''))
    .join('\n');
  const tex = lines.slice(firstTex).join('\n').trim();
  return words.trim() === '' || tex === '' ? undefined : { words, tex };
}

/** The Markdown with every formula as a block of plain text. */
export function withFormulasInWords(markdown: string): string {
  return markdown.replace(/^```math\n([\s\S]*?)\n```$/gm, (whole, block: string) => {
    const formula = readFormula(block);
    return formula === undefined ? whole : `\`\`\`text\n${formula.words}\n\`\`\``;
  });
}
