// The tutor as everybody asks it, the bot and the command line alike: the guide, the group's own documents, and wording.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  createMaterialSearch,
  createReadApart,
  createSearch,
  type Embedder,
  type Guide,
  loadShippedEmbedder,
} from '../knowledge/index.ts';
import { UserError } from './errors.ts';
import { createMaterial, type Material } from './material/material.ts';
import { createFetchPage } from './material/web-page.ts';
import type { HubOptions } from './models/hub-options.ts';
import type { Log } from './runs/worker.ts';
import { type Database, openStore, type Store } from './store/client.ts';
import type { Tutor } from './tutor/answer.ts';
import { withMaterial } from './tutor/own-material.ts';
import { createTutor } from './tutor/tutor.ts';
import { type LlmOptions, openWording } from './tutor/wording/open-wording.ts';

export interface TutorSettings {
  /** Everything kept on disk lies under it. */
  readonly dataDir: string;
  /** Undefined: the embedded database, under `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly hub?: HubOptions | undefined;
  /** Models of the hub that find passages in place of ours, and order the best anew. */
  readonly embedModel?: string | undefined;
  readonly rerankModel?: string | undefined;
  /** What words answers; undefined: they are composed. */
  readonly llm?: LlmOptions | undefined;
  readonly now: () => Date;
  readonly log: Log;
}

interface OpenTutor {
  readonly tutor: Tutor;
  readonly material: Material;
}

/** @throws UserError when a model of the hub cannot be loaded. */
export async function openTutor(settings: TutorSettings, guide: Guide, db: Database): Promise<OpenTutor> {
  const embedder = openEmbedder(settings);
  const material = createMaterial({
    db,
    dataDir: settings.dataDir,
    openSearch: async () => createMaterialSearch({ guide, embedder: await embedder }),
    read: createReadApart(),
    fetchPage: createFetchPage(),
    now: settings.now,
  });
  return { tutor: await compose(settings, guide, embedder, material), material };
}

interface TutorAlone {
  readonly tutor: Tutor;
  /** Why the group's documents are not asked, where there is a database that cannot be opened. */
  readonly without: UserError | undefined;
  close(): Promise<void>;
}

/**
 * The same tutor for a process without a bot: no database is made, and one that cannot be opened is done without.
 * @throws UserError when a model of the hub cannot be loaded.
 */
export async function openTutorAlone(settings: TutorSettings, guide: Guide): Promise<TutorAlone> {
  const opened = await openIfThere(settings);
  if (opened instanceof UserError || opened === undefined) {
    const tutor = await compose(settings, guide, openEmbedder(settings), undefined);
    return { tutor, without: opened, close: async () => {} };
  }
  try {
    const { tutor } = await openTutor(settings, guide, opened.db);
    return { tutor, without: undefined, close: opened.close };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function openIfThere({ dataDir, databaseUrl, log }: TutorSettings): Promise<Store | UserError | undefined> {
  if (databaseUrl === undefined && !existsSync(join(dataDir, 'db'))) return undefined;
  try {
    return await openStore({ databaseUrl, dataDir, log });
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

async function compose(
  { llm, hub, now, log, embedModel, rerankModel }: TutorSettings,
  guide: Guide,
  embedder: Promise<Embedder>,
  material: Material | undefined,
): Promise<Tutor> {
  // Only the shipped one is sure to load: what is wrong with another is said at the start.
  if (embedModel !== undefined) await embedder;
  const search = await openSearch(guide, embedder, { rerankModel, hub });
  const tutor = createTutor({ guide, search });
  return openWording(material ? withMaterial(tutor, material) : tutor, { llm, hub, guide, embedder, now, log });
}

type Models = Pick<TutorSettings, 'embedModel' | 'rerankModel' | 'hub'>;

/** Transformers.js takes a second to load: only where a model of the hub is asked for. */
function openEmbedder({ embedModel, hub }: Models): Promise<Embedder> {
  if (embedModel === undefined) return loadShippedEmbedder();
  return import('./transformers.ts').then(({ loadHubEmbedder }) => loadHubEmbedder(embedModel, hub));
}

async function openSearch(guide: Guide, embedder: Promise<Embedder>, { rerankModel, hub }: Models) {
  if (rerankModel === undefined) return createSearch({ guide, embedder });
  const { loadHubReranker } = await import('./transformers.ts');
  return createSearch({ guide, embedder, reranker: await loadHubReranker(rerankModel, hub) });
}
