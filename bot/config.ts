// The only reader of process.env: every setting is checked once, at the start, and what is wrong is said all at once.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'dotenv';
import type { z } from 'zod';
import { UserError } from '../engine/index.ts';
import { type SettingName, settingNames, settings } from './settings.ts';

type Value<N extends SettingName> = z.output<(typeof settings)[N]['schema']>;

export interface Config {
  readonly port: Value<'PORT'>;
  /** Absolute. */
  readonly dataDir: Value<'DATA_DIR'>;
  readonly databaseUrl: Value<'DATABASE_URL'>;
  readonly discordToken: Value<'DISCORD_TOKEN'>;
  readonly discordApiUrl: Value<'DISCORD_API_URL'>;
  readonly discordShards: Value<'DISCORD_SHARDS'>;
  /** This process was started to run one shard of many, and nothing else. */
  readonly isShardProcess: boolean;
  readonly slackBotToken: Value<'SLACK_BOT_TOKEN'>;
  readonly slackAppToken: Value<'SLACK_APP_TOKEN'>;
  readonly slackSigningSecret: Value<'SLACK_SIGNING_SECRET'>;
  readonly slackPort: Value<'SLACK_PORT'>;
  readonly slackClientId: Value<'SLACK_CLIENT_ID'>;
  readonly slackClientSecret: Value<'SLACK_CLIENT_SECRET'>;
  readonly slackApiUrl: Value<'SLACK_API_URL'>;
  readonly secretsKey: Value<'SECRETS_KEY'>;
  readonly hub: {
    readonly cacheDir: string;
    readonly offline: boolean;
    readonly token: string | undefined;
    readonly endpoint: string | undefined;
  };
  readonly embedModel: Value<'EMBED_MODEL'>;
  readonly rerankModel: Value<'RERANK_MODEL'>;
  /** What words answers; undefined: nothing does. */
  readonly llm:
    | {
        /** Undefined: the model runs in this process. */
        readonly baseUrl: Value<'LLM_BASE_URL'>;
        readonly model: string;
        readonly apiKey: Value<'LLM_API_KEY'>;
        readonly timeLimitMs: number;
      }
    | undefined;
  readonly device: Value<'DEVICE'>;
  readonly logLevel: Value<'LOG_LEVEL'>;
}

export type Environment = { readonly [name: string]: string | undefined };

/**
 * Reads the settings out of `environment`; an empty value is one that was not given.
 * @throws UserError naming every wrong setting, its value (secrets masked) and what is allowed.
 */
export function readConfig(environment: Environment): Config {
  const problems: string[] = [];
  function read<N extends SettingName>(name: N): Value<N> | undefined {
    const { schema, standard, secret, allowed } = settings[name];
    const given = written(environment, name) ?? (standard === '' ? undefined : standard);
    const checked = schema.safeParse(given);
    if (checked.success) return checked.data as Value<N>;
    problems.push(`${name} is ${secret ? mask(given ?? '') : JSON.stringify(given)}: it must be ${allowed}.`);
    return undefined;
  }
  const values = {
    port: read('PORT'),
    dataDir: read('DATA_DIR'),
    databaseUrl: read('DATABASE_URL'),
    discordToken: read('DISCORD_TOKEN'),
    discordApiUrl: read('DISCORD_API_URL'),
    discordShards: shardOfProcess(environment) ?? read('DISCORD_SHARDS') ?? { ids: 'auto', count: 1 },
    isShardProcess: shardOfProcess(environment) !== undefined,
    slackBotToken: read('SLACK_BOT_TOKEN'),
    slackAppToken: read('SLACK_APP_TOKEN'),
    slackSigningSecret: read('SLACK_SIGNING_SECRET'),
    slackPort: read('SLACK_PORT'),
    slackClientId: read('SLACK_CLIENT_ID'),
    slackClientSecret: read('SLACK_CLIENT_SECRET'),
    slackApiUrl: read('SLACK_API_URL'),
    secretsKey: read('SECRETS_KEY'),
    embedModel: read('EMBED_MODEL'),
    rerankModel: read('RERANK_MODEL'),
    device: read('DEVICE'),
    logLevel: read('LOG_LEVEL'),
  };
  const hub = {
    cacheDir: read('HF_HUB_CACHE') ?? join(values.dataDir ?? '', 'hub'),
    offline: read('HF_HUB_OFFLINE') ?? false,
    token: read('HF_TOKEN'),
    endpoint: read('HF_ENDPOINT'),
  };
  const llm = {
    baseUrl: read('LLM_BASE_URL'),
    model: read('LLM_MODEL'),
    apiKey: read('LLM_API_KEY'),
    timeLimitMs: (read('LLM_TIMEOUT') ?? 0) * 1000,
  };
  if (llm.baseUrl !== undefined && llm.model === undefined)
    problems.push('LLM_BASE_URL is set and LLM_MODEL is not: set it to the name of a model there.');
  if (values.discordShards.processes !== undefined && values.databaseUrl === undefined)
    problems.push(
      'DISCORD_SHARDS is processes, and the embedded database serves one process only: set DATABASE_URL to a PostgreSQL, or DISCORD_SHARDS to auto.',
    );
  const { port, slackPort, dataDir, device, logLevel } = values;
  if (problems.length > 0 || port === undefined || slackPort === undefined || !dataDir || !device || !logLevel) {
    throw new UserError(
      problems.join('\n'),
      'Correct it in .env or the environment; .env.example lists every setting.',
    );
  }
  const { model } = llm;
  return {
    ...values,
    hub,
    llm: model === undefined ? undefined : { ...llm, model },
    port,
    slackPort,
    dataDir,
    device,
    logLevel,
  };
}

/** What discord.js's ShardingManager tells the processes it starts. */
function shardOfProcess(environment: Environment): Value<'DISCORD_SHARDS'> | undefined {
  if (environment.SHARDING_MANAGER === undefined) return undefined;
  return { ids: [Number(environment.SHARDS)], count: Number(environment.SHARD_COUNT) };
}

/** This process's settings: its environment over the `.env` file of the current folder, where there is one. */
export function processEnvironment(): Environment {
  const given = Object.entries(process.env).filter(([, value]) => value !== undefined && value.trim() !== '');
  return { ...readEnvFile(), ...Object.fromEntries(given) };
}

function readEnvFile(): Environment {
  try {
    return parse(readFileSync('.env'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}

/** Enough of a secret to tell which one it is: its length, and at most its last two characters. */
export function mask(secret: string): string {
  const ending = secret.length >= 12 ? `, ending in “${secret.slice(-2)}”` : '';
  return `(${secret.length} characters${ending})`;
}

/** What of the settings may be shown: `doctor` prints these. */
export function describeSettings(environment: Environment) {
  return settingNames.map((name) => {
    const given = written(environment, name);
    const { standard, meaning, secret } = settings[name];
    const value = given === undefined ? standard : secret ? mask(given) : given;
    return { name, value, given: given !== undefined, meaning };
  });
}

/** The secret values themselves, for the log to leave out. */
export function secretsOf(environment: Environment): readonly string[] {
  return settingNames.flatMap((name) => (settings[name].secret ? (written(environment, name) ?? []) : []));
}

function written(environment: Environment, name: SettingName): string | undefined {
  const value = environment[name]?.trim();
  return value === '' ? undefined : value;
}
