// The page's script, style and fonts, bundled in memory when the first page is asked for; names carry a content hash.
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

type EntryName = 'main.ts' | 'theme.ts' | 'style.css';

export interface Assets {
  readonly hrefs: { readonly [Name in EntryName]: string };
  get(name: string): { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string } | undefined;
}

const types: { readonly [extension: string]: string } = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  woff2: 'font/woff2',
};

let built: Promise<Assets> | undefined;

/** Builds once for the life of the process; a failure is tried again. */
export function loadAssets(): Promise<Assets> {
  built ??= build().catch((error: unknown) => {
    built = undefined;
    throw error;
  });
  return built;
}

async function build(): Promise<Assets> {
  const { build: bundle } = await import('esbuild');
  const client = fileURLToPath(new URL('./client/', import.meta.url));
  const { outputFiles, metafile } = await bundle({
    absWorkingDir: client,
    entryPoints: ['main.ts', 'theme.ts', 'style.css'],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
    outdir: '/assets',
    publicPath: '/assets',
    entryNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    loader: { '.woff2': 'file' },
    logLevel: 'silent',
  });
  const files = new Map(outputFiles.map((file) => [basename(file.path), new Uint8Array(file.contents)]));
  const hrefOf = (entry: EntryName) => {
    const output = Object.entries(metafile.outputs).find(([, made]) => made.entryPoint === entry);
    if (output === undefined) throw new Error(`the bundle lacks ${entry}`);
    return `/assets/${basename(output[0])}`;
  };
  return {
    hrefs: { 'main.ts': hrefOf('main.ts'), 'theme.ts': hrefOf('theme.ts'), 'style.css': hrefOf('style.css') },
    get(name) {
      const bytes = files.get(name);
      return bytes && { bytes, type: types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream' };
    },
  };
}
