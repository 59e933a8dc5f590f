// A formula as a drawing: MathJax sets it, once; what was drawn is remembered beside the installed packages.
import { createHash } from 'node:crypto';
import { memoryFolder, recallOr } from '../memory.ts';

export interface DrawnFormula {
  /** In `currentColor`; without ids, styles or scripts. */
  readonly svg: string;
  /** In em of the text around it. */
  readonly width: number;
  readonly height: number;
}

/** Raised when the drawing changes, so that older ones are forgotten. */
const version = 2;
const exInEm = 0.5;
const drawn = new Map<string, Promise<DrawnFormula>>();

/** @throws Error naming what TeX does not understand in it. */
export function drawFormula(tex: string, memory: string = memoryFolder): Promise<DrawnFormula> {
  const known = drawn.get(tex);
  if (known !== undefined) return known;
  const hash = createHash('sha256').update(`${version}:${tex}`).digest('hex');
  const drawing = recallOr({ folder: memory, name: `formula-${hash.slice(0, 24)}`, hash }, async () => {
    engine ??= loadMathJax();
    return (await engine)(tex);
  });
  drawn.set(tex, drawing);
  drawing.catch(() => drawn.delete(tex));
  return drawing;
}

let engine: Promise<(tex: string) => Promise<DrawnFormula>> | undefined;

/** Takes about half a second, so it waits for the first formula that is not remembered. */
async function loadMathJax(): Promise<(tex: string) => Promise<DrawnFormula>> {
  const [{ mathjax }, { TeX }, { SVG }, { liteAdaptor }, { RegisterHTMLHandler }] = await Promise.all([
    import('@mathjax/src/js/mathjax.js'),
    import('@mathjax/src/js/input/tex.js'),
    import('@mathjax/src/js/output/svg.js'),
    import('@mathjax/src/js/adaptors/liteAdaptor.js'),
    import('@mathjax/src/js/handlers/html.js'),
    import('@mathjax/src/js/input/tex/base/BaseConfiguration.js'),
    import('@mathjax/src/js/input/tex/ams/AmsConfiguration.js'),
    import('@mathjax/src/js/util/asyncLoad/esm.js'),
  ]);
  const adaptor = liteAdaptor();
  RegisterHTMLHandler(adaptor);
  const input = new TeX({
    packages: ['base', 'ams'],
    maxBuffer: 4 * 1024,
    formatError: (_: unknown, error: Error) => {
      throw new Error(error.message);
    },
  });
  const document = mathjax.document('', { InputJax: input, OutputJax: new SVG({ fontCache: 'none' }) });
  return async (tex) => {
    const node = await document.convertPromise(tex, { display: true, em: 16, ex: 16 * exInEm, containerWidth: 4000 });
    const html = adaptor.outerHTML(node);
    // A wide brace is an <svg> within: the drawing ends at the last one's end.
    const svg = /<svg[\s\S]*<\/svg>/.exec(html)?.[0];
    const size = /<svg[^>]*\swidth="([\d.]+)ex" height="([\d.]+)ex"[^>]*viewBox="([^"]+)"/.exec(svg ?? '');
    if (svg === undefined || size === null) throw new Error(`MathJax drew nothing for ${tex}`);
    const [, width, height, viewBox] = size;
    const body = svg.slice(svg.indexOf('>') + 1, svg.lastIndexOf('</svg>'));
    return {
      svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${viewBox}" aria-hidden="true" focusable="false">${strip(body)}</svg>`,
      width: Number(width) * exInEm,
      height: Number(height) * exInEm,
    };
  };
}

/** Leaves what is needed to paint: MathJax's notes for its own use make a drawing three times as long. */
function strip(body: string): string {
  return body.replace(/ (?:data-[\w-]+|class|style|role|focusable)="[^"]*"/g, '');
}
