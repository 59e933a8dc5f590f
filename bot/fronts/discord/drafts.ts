// Replies → pages ready to be sent to a channel: what the place does not take is told in words, files are read when they are sent.
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Engine } from '../../../engine/index.ts';
import { plain } from '../../chat/escape.ts';
import type { Reply } from '../../chat/message.ts';
import { text } from '../../chat/reply.ts';
import type { Keepsake } from './custom-id.ts';
import type { Exchange } from './exchange.ts';
import { limits } from './limits.ts';
import type { Page, PageFile } from './pages.ts';
import { missing, needs } from './permissions.ts';
import type { Posted } from './posted.ts';
import { type Rendered, type RenderOptions, renderReply } from './render.ts';
import type { Draft } from './rest.ts';

/** What is known of a channel without asking. */
export interface KnownChannel {
  /** The bot's permissions in it. */
  readonly bits: bigint | undefined;
  readonly name: string | undefined;
  readonly isThread: boolean;
}

export interface DraftsOptions {
  readonly engine: Pick<Engine, 'kept' | 'pictures'>;
  /** Files of replies lie under it. */
  readonly dataDir: string;
  readonly sectionUrl: RenderOptions['sectionUrl'];
  readonly channelFacts: (channelId: string) => KnownChannel;
}

export interface Drafts {
  /**
   * The pages of a reply, with what their components refer to kept.
   * @param wordsOnly files were refused there, whatever is known of the place.
   */
  pages(
    workspaceId: string,
    reply: Reply,
    channelId: string,
    exchange: Exchange | undefined,
    wordsOnly?: boolean,
  ): Promise<readonly Page[]>;
  /** Keeps what components refer to. */
  keep(workspaceId: string, keepsakes: readonly Keepsake[]): Promise<void>;
  /** A page as it is sent. @param before the message it replaces: files that it has are not sent again. */
  draft(page: Page, before?: Posted['messages'][number]): Promise<Draft>;
}

export const keptKind = 'discord';

export function createDrafts({ engine, dataDir, sectionUrl, channelFacts }: DraftsOptions): Drafts {
  async function render(
    reply: Reply,
    channelId: string,
    exchange: Exchange | undefined,
    wordsOnly: boolean,
  ): Promise<Rendered> {
    const facts = channelFacts(channelId);
    const bits = exchange?.origin.channelId === channelId ? (exchange.origin.bits ?? facts.bits) : facts.bits;
    const refused = wordsOnly ? (['Attach Files'] as const) : missing(bits, ['Attach Files']);
    return renderReply(await withWhatIsKept(reply), {
      sectionUrl,
      fileBytes: exchange?.origin.fileBytes ?? limits.message.fileBytes,
      filesRefused:
        refused.length === 0
          ? undefined
          : `${needs(refused, exchange?.origin.channelName ?? facts.name).replaceAll('*', '')} to show it.`,
    });
  }

  /** A picture or a file that is not kept any more is shown by its words. */
  async function withWhatIsKept(reply: Reply): Promise<Reply> {
    const blocks = await Promise.all(
      reply.blocks.map(async (block) => {
        if (block.kind === 'picture' && (await engine.pictures.get(block.pictureId)) === undefined) {
          return text(`*${plain(block.alt)}*`);
        }
        if (block.kind !== 'file') return block;
        const path = resolve(dataDir, block.path);
        const found = await stat(path).catch(() => undefined);
        return found?.isFile() ? { ...block, path } : text(`${plain(block.name)} is not kept any more.`);
      }),
    );
    return { ...reply, blocks };
  }

  async function keep(workspaceId: string, keepsakes: readonly Keepsake[]) {
    for (const { id, value } of keepsakes) await engine.kept.putOnce(workspaceId, keptKind, id, value);
  }

  async function loadFile({ name, description, from }: PageFile) {
    const data = from.kind === 'path' ? await readFile(from.path) : await engine.pictures.get(from.id);
    if (data === undefined) throw new Error(`picture ${name} is gone`);
    return { name, data: Buffer.from(data), ...(description === undefined ? {} : { description }) };
  }

  return {
    keep,
    async pages(workspaceId, reply, channelId, exchange, wordsOnly = false) {
      const { pages, keepsakes } = await render(reply, channelId, exchange, wordsOnly);
      await keep(workspaceId, keepsakes);
      return pages;
    },
    async draft(page, before) {
      const kept = (before?.files ?? []).filter(({ name }) => page.files.some((file) => file.name === name));
      const fresh = page.files.filter(({ name }) => !kept.some((file) => file.name === name));
      return {
        components: page.components,
        keep: kept.map(({ id }) => id),
        files: await Promise.all(fresh.map(loadFile)),
      };
    },
  };
}
