// Brings a model from the Hugging Face hub into a local folder: only the files we read, whole or not at all.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { downloadFile, HubApiError, type ListFileEntry, listFiles, modelInfo } from '@huggingface/hub';
import { UserError } from '../errors.ts';
import { makeFolder, writeFileAtomically } from './files.ts';
import type { HubOptions } from './hub-options.ts';

export interface HubModel {
  /** `name` or `organisation/name`. */
  readonly id: string;
  /** A branch, tag or commit. */
  readonly revision: string;
}

const idPattern = /^(?:[\w-][\w.-]*\/)?[\w-][\w.-]*(?:@[\w-][\w./-]*)?$/;

/** Reads `name`, `organisation/name` or `organisation/name@revision`. @returns undefined for anything else. */
export function parseHubModel(text: string): HubModel | undefined {
  if (!idPattern.test(text) || text.includes('..') || text.length > 200) return undefined;
  const [id = '', revision = 'main'] = text.split('@');
  return { id, revision };
}

const wanted = new Set([
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'generation_config.json',
  'preprocessor_config.json',
  'adapter_config.json',
  'adapter_model.safetensors',
  'finetutor.json',
  'model.safetensors',
  'model.safetensors.index.json',
]);
const isShard = (path: string) => /^model-\d+-of-\d+\.safetensors$/.test(path);
/** One file wins over shards of the same weights. */
function chooseFiles(files: readonly ListFileEntry[]): readonly ListFileEntry[] {
  const whole = files.some(({ path }) => path === 'model.safetensors');
  return files.filter(({ path, type }) => type === 'file' && (wanted.has(path) || (isShard(path) && !whole)));
}

const complete = '.complete';

/**
 * Downloads what is not in the cache yet. A download that was cut off is done again; a file whose hash differs is refused.
 * @returns the folder with config.json and weights.
 * @throws UserError when the hub cannot be reached, refuses, or has no such model, or when it holds no safetensors.
 */
export async function fetchFromHub({ id, revision }: HubModel, options: HubOptions): Promise<string> {
  const home = join(options.cacheDir, `models--${id.replaceAll('/', '--')}`);
  const kept = await findSnapshot(home, revision);
  if (kept !== undefined && (options.offline || /^[0-9a-f]{40}$/.test(revision))) return kept;
  if (options.offline) {
    throw new UserError(
      `${id} (${revision}) is not in the cache ${options.cacheDir}, and the hub is switched off.`,
      'Unset HF_HUB_OFFLINE to download it, or give a model folder.',
    );
  }
  const asked = {
    revision,
    ...(options.token === undefined ? {} : { accessToken: options.token }),
    ...(options.endpoint === undefined ? {} : { hubUrl: options.endpoint }),
  };
  try {
    const { sha } = await modelInfo({ ...asked, name: id, additionalFields: ['sha'] });
    if (!/^[0-9a-f]{40}$/.test(sha)) throw new Error(`the hub named ${JSON.stringify(sha)} as the commit`);
    const folder = join(home, 'snapshots', sha);
    if (await isComplete(folder)) return folder;
    const repo = { type: 'model', name: id } as const;
    const files: ListFileEntry[] = [];
    for await (const file of listFiles({ ...asked, repo, revision: sha })) files.push(file);
    const chosen = chooseFiles(files);
    refuseWithoutWeights(id, chosen, files);
    await makeFolder(folder);
    for (const file of chosen) {
      const blob = await downloadFile({ ...asked, repo, path: file.path, revision: sha });
      if (!blob) throw new Error(`the hub has no ${file.path} after all`);
      await writeDownload(join(folder, file.path), blob, file.lfs?.oid);
    }
    await writeFileAtomically(join(folder, complete), [sha]);
    if (revision !== sha) {
      await mkdir(dirname(join(home, 'refs', revision)), { recursive: true });
      await writeFileAtomically(join(home, 'refs', revision), [sha]);
    }
    return folder;
  } catch (error) {
    if (kept !== undefined && !(error instanceof UserError) && !(error instanceof HubApiError)) return kept;
    throw explain(id, revision, options, error);
  }
}

async function isComplete(folder: string): Promise<boolean> {
  const files: readonly string[] = await readdir(folder).catch(() => []);
  // Other libraries fill the same cache without our mark: weights and config are enough then.
  return files.includes(complete) || (files.includes('config.json') && files.includes('model.safetensors'));
}

async function findSnapshot(home: string, revision: string): Promise<string | undefined> {
  const sha = /^[0-9a-f]{40}$/.test(revision)
    ? revision
    : await readFile(join(home, 'refs', revision), 'utf8').catch(() => undefined);
  const folder = sha === undefined ? undefined : join(home, 'snapshots', sha.trim());
  return folder !== undefined && (await isComplete(folder)) ? folder : undefined;
}

function refuseWithoutWeights(id: string, chosen: readonly ListFileEntry[], all: readonly ListFileEntry[]): void {
  if (chosen.some(({ path }) => path.endsWith('.safetensors'))) return;
  const pickle = all.find(({ path }) => /\.(bin|pt|pth|ckpt|pkl)$/.test(path));
  throw new UserError(
    pickle
      ? `${id} holds its weights in ${pickle.path}: a pickle may run any code and is never loaded.`
      : `${id} holds no weights in safetensors.`,
    'Take a model, or a revision of it, that has model.safetensors; many repositories have one on the branch refs/pr/1.',
  );
}

/** Writes beside the target while the hash is taken, and renames when it is right. */
async function writeDownload(path: string, blob: Blob, sha256: string | undefined): Promise<void> {
  if (await stat(path).catch(() => undefined)) return;
  const partial = `${path}.${process.pid}.partial`;
  const hash = createHash('sha256');
  const measured = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(
      Readable.fromWeb(blob.stream() as ReadableStream),
      measured,
      createWriteStream(partial, { flush: true }),
    );
    const got = hash.digest('hex');
    if (sha256 !== undefined && got !== sha256) {
      throw new UserError(
        `${path} arrived damaged: its SHA-256 is ${got}; the hub names ${sha256}.`,
        'Start again; the download will be repeated.',
      );
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

function explain(id: string, revision: string, { endpoint, token }: HubOptions, error: unknown): Error {
  if (error instanceof UserError) return error;
  const hub = endpoint ?? 'https://huggingface.co';
  const status = error instanceof HubApiError ? error.statusCode : undefined;
  if (status === 404) {
    return new UserError(
      `The hub has no model ${id} with the revision ${revision}.`,
      'Check the name as its page shows it, organisation/name; @branch or @commit may follow.',
      { cause: error },
    );
  }
  if (status === 401 || status === 403) {
    return new UserError(
      `The hub does not let us read ${id} (HTTP ${status}): it is private, gated, or does not exist.`,
      token === undefined
        ? 'Accept the model’s terms on its page and set HF_TOKEN to a token of yours with read access.'
        : 'Accept the model’s terms on its page with the account of HF_TOKEN, and check that the token may read it.',
      { cause: error },
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new UserError(
    `${id} could not be downloaded from ${hub}: ${reason.slice(0, 200)}`,
    'Check the connection and start again, or give the folder of a model you have; scratch:tiny needs none.',
    { cause: error },
  );
}
