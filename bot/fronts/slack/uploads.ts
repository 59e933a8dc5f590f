// Files out: in Slack's three steps (ask for an address, send the bytes, say it is complete), and which picture lies where.
import { open, realpath } from 'node:fs/promises';
import { basename, sep } from 'node:path';
import { type Engine, UserError } from '../../../engine/index.ts';
import { type SlackApi, SlackProblem } from './api.ts';
import { cut } from './limits.ts';

export interface Uploaded {
  readonly id: string;
}

const sendTimeoutMs = 120_000;

/** @param share where to show it; undefined: it is there for blocks only. @throws SlackProblem */
export async function uploadFile(
  api: SlackApi,
  file: { readonly name: string; readonly bytes: Uint8Array; readonly alt?: string },
  share?: { readonly channel: string; readonly threadTs: string | undefined; readonly comment?: string },
): Promise<Uploaded> {
  const asked = await api.call('files.getUploadURLExternal', {
    filename: file.name,
    length: file.bytes.byteLength,
    ...(file.alt === undefined ? {} : { alt_txt: cut(file.alt, 1000) }),
  });
  const { upload_url: url, file_id: id } = asked;
  if (typeof url !== 'string' || typeof id !== 'string') {
    throw new SlackProblem('files.getUploadURLExternal', 'no upload address came back', 'unsure');
  }
  await send(url, file.bytes);
  await api.call('files.completeUploadExternal', {
    files: [{ id, title: file.name }],
    ...(share === undefined ? {} : { channel_id: share.channel }),
    ...(share?.threadTs === undefined ? {} : { thread_ts: share.threadTs }),
    ...(share?.comment === undefined ? {} : { initial_comment: share.comment }),
  });
  return { id };
}

async function send(url: string, bytes: Uint8Array) {
  const body = new Uint8Array(bytes);
  const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(sendTimeoutMs) }).catch(
    (error: unknown) => {
      throw new SlackProblem('upload', error instanceof Error ? error.message : String(error), 'unsure', {
        cause: error,
      });
    },
  );
  if (!response.ok)
    throw new SlackProblem('upload', `http_${response.status}`, response.status >= 500 ? 'unsure' : 'refused');
}

/** Larger ones are better fetched from the machine itself. */
const mostBytes = 200 * 1024 ** 2;

/** A file under the data folder, to hand over. @throws UserError when it is gone, too large, or not ours to give. */
export async function readOwnFile(dataDir: string, path: string): Promise<{ name: string; bytes: Uint8Array }> {
  const [folder, real] = await Promise.all([realpath(dataDir), realpath(path).catch(() => undefined)]);
  if (real === undefined || !real.startsWith(folder + sep)) {
    throw new UserError(`${basename(path)} is not here any more.`, 'Train the run again to get its files anew.');
  }
  const file = await open(real);
  try {
    const { size } = await file.stat();
    if (size > mostBytes) {
      throw new UserError(
        `${basename(path)} is ${Math.round(size / 1024 ** 2)} MiB, too large for Slack here.`,
        `It lies in ${path} on the machine that trained it.`,
      );
    }
    return { name: basename(path), bytes: await file.readFile() };
  } finally {
    await file.close();
  }
}

export interface Charts {
  /**
   * Uploads the pictures of a message that are not in Slack yet, each once, also over restarts.
   * @param live more of the message is to come: its chart is renewed seldom.
   * @returns the Slack file of each picture that has one.
   */
  prepare(options: {
    readonly api: SlackApi;
    readonly workspaceId: string;
    readonly messageId: string;
    readonly pictures: readonly { readonly pictureId: string; readonly alt: string }[];
    readonly live: boolean;
    readonly postedAtMs: number;
  }): Promise<ReadonlyMap<string, string>>;
}

const pictureKind = 'slack.picture';
const liveKind = 'slack.live-picture';
/** A chart of a run that goes on is drawn anew this often. */
const betweenLiveMs = 60_000;

interface LivePicture {
  readonly pictureId: string;
  readonly fileId: string;
  readonly atMs: number;
}

export function createCharts({
  engine,
  nowMs,
  log,
}: {
  engine: Pick<Engine, 'kept' | 'pictures'>;
  nowMs: () => number;
  log: { debug(fields: object, message: string): void };
}): Charts {
  const { kept, pictures } = engine;

  async function upload(
    api: SlackApi,
    workspaceId: string,
    pictureId: string,
    alt: string,
  ): Promise<string | undefined> {
    const known = await kept.get(workspaceId, pictureKind, pictureId);
    if (typeof known === 'string') return known;
    const bytes = await pictures.get(pictureId);
    if (bytes === undefined) return undefined;
    const { id } = await uploadFile(api, { name: `${pictureId.slice(0, 12)}.png`, bytes, alt });
    await kept.put(workspaceId, pictureKind, pictureId, id);
    return id;
  }

  /** The chart shown while the run goes on; it makes room for its successor. */
  async function replaceLive(api: SlackApi, workspaceId: string, name: string, next: LivePicture | undefined) {
    const before = readLive(await kept.get(workspaceId, liveKind, name));
    if (next !== undefined) await kept.put(workspaceId, liveKind, name, next);
    else if (before !== undefined) await kept.remove(workspaceId, liveKind, name);
    if (before === undefined || before.pictureId === next?.pictureId) return;
    return async () => {
      await kept.remove(workspaceId, pictureKind, before.pictureId);
      await api.call('files.delete', { file: before.fileId }).catch((error: unknown) => {
        log.debug({ err: error }, 'an old chart could not be taken away');
      });
    };
  }

  return {
    async prepare({ api, workspaceId, messageId, pictures: wanted, live, postedAtMs }) {
      const files = new Map<string, string>();
      for (const [index, { pictureId, alt }] of wanted.entries()) {
        const name = `${messageId}:${index}`;
        if (!live) {
          const fileId = await upload(api, workspaceId, pictureId, alt);
          if (fileId !== undefined) files.set(pictureId, fileId);
          const before = readLive(await kept.get(workspaceId, liveKind, name));
          if (before !== undefined && before.pictureId !== pictureId) {
            const clean = await replaceLive(api, workspaceId, name, undefined);
            await clean?.();
          }
          continue;
        }
        const before = readLive(await kept.get(workspaceId, liveKind, name));
        if (nowMs() - (before?.atMs ?? postedAtMs) < betweenLiveMs) {
          if (before !== undefined) files.set(pictureId, before.fileId);
          continue;
        }
        const fileId = await upload(api, workspaceId, pictureId, alt);
        if (fileId === undefined) continue;
        files.set(pictureId, fileId);
        const clean = await replaceLive(api, workspaceId, name, { pictureId, fileId, atMs: nowMs() });
        await clean?.();
      }
      return files;
    },
  };
}

function readLive(value: unknown): LivePicture | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { pictureId, fileId, atMs } = Object.fromEntries(Object.entries(value));
  return typeof pictureId === 'string' && typeof fileId === 'string' && typeof atMs === 'number'
    ? { pictureId, fileId, atMs }
    : undefined;
}
