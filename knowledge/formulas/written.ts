// How the guide writes a formula: a ```math block. Its first lines, comments to TeX, are the formula in plain words (`%`)
// and what is told below the drawing (`%>`), such as what the letters mean.

export interface Formula {
  /** The formula as plain text, line by line: for the terminal, for search and for those who cannot see it. */
  readonly words: string;
  /** LaTeX, display style. */
  readonly tex: string;
  /** Told below the drawing; part of the words in one form or another. */
  readonly notes: readonly string[];
}

/** @param block what stands between the fences. @returns undefined where the words or the formula are missing. */
export function readFormula(block: string): Formula | undefined {
  const lines = block.split('\n');
  const firstTex = lines.findIndex((line) => !line.startsWith('%'));
  if (firstTex <= 0) return undefined;
  const comments = lines.slice(0, firstTex);
  const isNote = (line: string) => line.startsWith('%>');
  const words = comments
    .filter((line) => !isNote(line))
    .map((line) => line.replace(/^% ?/, ''))
    .join('\n');
  const notes = comments.filter(isNote).map((line) => line.slice('%>'.length).trim());
  const tex = lines.slice(firstTex).join('\n').trim();
  return words.trim() === '' || tex === '' ? undefined : { words, tex, notes };
}

/** The Markdown with every formula as a block of plain text. */
export function withFormulasInWords(markdown: string): string {
  return markdown.replace(/^```math\n([\s\S]*?)\n```$/gm, (whole, block: string) => {
    const formula = readFormula(block);
    return formula === undefined ? whole : `\`\`\`text\n${formula.words}\n\`\`\``;
  });
}
