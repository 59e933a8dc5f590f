// doctor: what is here and what is missing, before anything goes wrong.
import { accessSync, constants, existsSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { checkLanguageModel, type DeviceLook, listProviders, lookAtDevices, UserError } from '../../engine/index.ts';
import { commands } from '../commands/index.ts';
import { type Config, describeSettings, type Environment, mask, readConfig } from '../config.ts';
import type { DiscordCheck } from '../fronts/discord/check.ts';
import type { SlackCheck } from '../fronts/slack/check.ts';
import { describeDevices } from './devices.ts';

export interface Diagnosis {
  readonly ok: boolean;
  readonly node: { readonly version: string; readonly ok: boolean; readonly needed: string };
  readonly providers: readonly string[];
  /** The speed of each device, or why it cannot be used; what `auto` means; what CUDA misses. */
  readonly devices: DeviceLook;
  readonly cores: number;
  readonly memory: { readonly totalBytes: number; readonly freeBytes: number };
  readonly database: {
    readonly kind: 'embedded' | 'postgres';
    readonly at: string;
    readonly ok: boolean;
    readonly detail: string;
  };
  readonly folders: readonly { readonly path: string; readonly writable: boolean }[];
  /** Absent where nothing of Discord is set. */
  readonly discord?: DiscordCheck;
  /** Absent where nothing of Slack is set. */
  readonly slack?: SlackCheck;
  /** What words answers; absent where nothing does. */
  readonly llm?: { readonly found: string; readonly problem?: string };
  readonly settings: ReturnType<typeof describeSettings>;
  /** What to mend, in words. */
  readonly problems: readonly string[];
}

const neededNode = [20, 19] as const;

export async function diagnose(environment: Environment): Promise<Diagnosis> {
  const config = tryConfig(environment);
  const dataDir = 'dataDir' in config ? config.dataDir : resolve('data');
  const folders = [dataDir].map((path) => ({ path, writable: isWritable(path) }));
  const database = 'dataDir' in config ? await checkDatabase(config) : notChecked;
  const discord = 'dataDir' in config ? await lookAtDiscord(config) : undefined;
  const slack = 'dataDir' in config ? await lookAtSlack(config) : undefined;
  const llm = 'dataDir' in config ? await lookAtLlm(config) : undefined;
  const node = {
    version: process.versions.node,
    ok: isNewEnough(process.versions.node),
    needed: `>= ${neededNode.join('.')}`,
  };
  const problems = [
    ...('problem' in config ? [config.problem] : []),
    ...(node.ok ? [] : [`Node ${node.version} is too old: it must be ${node.needed}.`]),
    ...folders.flatMap(({ path, writable }) =>
      writable ? [] : [`${path} can't be written: set DATA_DIR to another folder.`],
    ),
    ...(database.ok ? [] : [`The database: ${database.detail}`]),
    ...(discord?.problems ?? []),
    ...(slack?.problems ?? []),
    ...(llm?.problem === undefined ? [] : [llm.problem]),
  ];
  return {
    ok: problems.length === 0,
    node,
    providers: await listProviders(),
    devices: await lookAtDevices(),
    cores: availableParallelism(),
    memory: { totalBytes: totalmem(), freeBytes: freemem() },
    database,
    folders,
    ...(discord === undefined ? {} : { discord }),
    ...(slack === undefined ? {} : { slack }),
    ...(llm === undefined ? {} : { llm }),
    settings: describeSettings(environment),
    problems,
  };
}

const notChecked = { kind: 'embedded', at: '', ok: false, detail: 'not looked at, the settings come first' } as const;

function tryConfig(environment: Environment): Config | { readonly problem: string } {
  try {
    return readConfig(environment);
  } catch (error) {
    if (error instanceof UserError) return { problem: error.message };
    throw error;
  }
}

/** discord.js is loaded only where Discord is set up. */
async function lookAtDiscord({ discordToken, discordApiUrl }: Config): Promise<DiscordCheck | undefined> {
  if (discordToken === undefined) return undefined;
  const { checkDiscord } = await import('../fronts/discord/check.ts');
  return checkDiscord(discordToken, discordApiUrl, commands);
}

/** Bolt is loaded only where Slack is set up. */
async function lookAtSlack(config: Config): Promise<SlackCheck | undefined> {
  const { slackBotToken, slackAppToken, slackSigningSecret, slackClientId, slackClientSecret, slackApiUrl } = config;
  const anything = [slackBotToken, slackAppToken, slackSigningSecret, slackClientId, slackClientSecret];
  if (anything.every((value) => value === undefined)) return undefined;
  const { checkSlack } = await import('../fronts/slack/check.ts');
  return checkSlack(config, slackApiUrl);
}

async function lookAtLlm({ llm }: Config): Promise<Diagnosis['llm']> {
  if (llm === undefined) return undefined;
  const problem = await checkLanguageModel(llm);
  const found = `answers are worded by ${llm.model} ${llm.baseUrl === undefined ? 'in this process' : `at ${llm.baseUrl}`}`;
  return { found, ...(problem === undefined ? {} : { problem }) };
}

/** Looks without changing anything: an embedded database is not opened, since the bot may have it open. */
async function checkDatabase({ databaseUrl, dataDir }: Config): Promise<Diagnosis['database']> {
  if (databaseUrl === undefined) {
    const at = join(dataDir, 'db');
    return {
      kind: 'embedded',
      at,
      ok: isWritable(at),
      detail: existsSync(at) ? 'is there' : 'is made at the first start',
    };
  }
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5000 });
  const found = { kind: 'postgres', at: mask(databaseUrl) } as const;
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return { ...found, ok: true, detail: `PostgreSQL ${rows[0]?.server_version ?? ''}` };
  } catch (error) {
    return { ...found, ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Whether the folder, or the nearest one above it that exists, can be written in. */
function isWritable(path: string): boolean {
  if (!existsSync(path)) return dirname(path) !== path && isWritable(dirname(path));
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > neededNode[0] || (major === neededNode[0] && minor >= neededNode[1]);
}

export function describeDiagnosis(diagnosis: Diagnosis): string {
  const { node, providers, devices, cores, memory, database, folders, discord, slack, llm, settings, problems } =
    diagnosis;
  const gib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  const mark = (ok: boolean) => (ok ? '✓' : '✗');
  return [
    `${mark(node.ok)} Node ${node.version} (needs ${node.needed})`,
    `✓ trains on: ${providers.join(', ')}`,
    ...describeDevices(devices),
    `✓ ${cores} cores, ${gib(memory.totalBytes)} memory (${gib(memory.freeBytes)} free)`,
    `${mark(database.ok)} ${database.kind} database ${database.at}: ${database.detail}`,
    ...folders.map(
      ({ path, writable }) => `${mark(writable)} ${path} ${writable ? 'can be written' : "can't be written"}`,
    ),
    ...(discord?.found ?? []).map((line) => `✓ ${line}`),
    ...(slack?.found ?? []).map((line) => `✓ ${line}`),
    ...(llm === undefined ? [] : [`${mark(llm.problem === undefined)} ${llm.found}`]),
    '',
    ...settings.map(
      ({ name, value, given }) => `  ${name.padEnd(21)} ${value === '' ? '–' : value}${given ? '' : ' (default)'}`,
    ),
    '',
    problems.length === 0 ? 'Everything is in place.' : problems.map((problem) => `✗ ${problem}`).join('\n'),
  ].join('\n');
}
