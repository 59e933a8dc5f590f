// The one table of settings: what there is, what it means, what is allowed. The reader, `.env.example` and `doctor` follow it.
import { resolve } from 'node:path';
import { z } from 'zod';

const devices = ['auto', 'cpu', 'webgpu', 'cuda'] as const;
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

interface Setting<Schema extends z.ZodType> {
  /** As it would be written; empty: the setting stays off. */
  readonly standard: string;
  readonly meaning: string;
  /** Ends the sentence "it must be …". */
  readonly allowed: string;
  readonly secret: boolean;
  readonly schema: Schema;
}

const setting = <Schema extends z.ZodType>(given: Setting<Schema>) => given;

/** Of a server spoken to over HTTP. */
const address = z.string().refine((url) => URL.canParse(url) && /^https?:/.test(url));

const token = (pattern: RegExp) => z.string().regex(pattern).optional();

export const settings = {
  PORT: setting({
    standard: '3000',
    meaning: 'port of the web page, http://127.0.0.1:PORT',
    allowed: 'a whole number from 0 to 65535 (0: any free one)',
    secret: false,
    schema: z.string().regex(/^\d+$/).transform(Number).pipe(z.number().max(65535)),
  }),
  DATA_DIR: setting({
    standard: './data',
    meaning: 'everything the bot keeps: embedded database, datasets, runs, pictures',
    allowed: 'the path of a folder',
    secret: false,
    schema: z
      .string()
      .refine((path) => !path.includes('\0'))
      .transform((path) => resolve(path)),
  }),
  DATABASE_URL: setting({
    standard: '',
    meaning: 'a PostgreSQL address; empty: the embedded database under DATA_DIR/db',
    allowed: 'an address such as postgres://user:password@host:5432/name',
    secret: true,
    schema: z
      .string()
      .refine((url) => /^postgres(ql)?:\/\/[^/]/.test(url) && URL.canParse(url))
      .optional(),
  }),
  DISCORD_TOKEN: setting({
    standard: '',
    meaning: 'token of the Discord bot; empty: Discord stays off',
    allowed: 'the token from the Bot page of the Discord developer portal, without spaces',
    secret: true,
    schema: token(/^\S+$/),
  }),
  DISCORD_API_URL: setting({
    standard: '',
    meaning: 'another server that speaks the API of Discord; empty: Discord itself',
    allowed: 'an address such as https://discord.com/api',
    secret: false,
    schema: z.url({ protocol: /^https?$/ }).optional(),
  }),
  DISCORD_SHARDS: setting({
    standard: 'auto',
    meaning:
      'connections to Discord, each for a part of the servers: auto (as many as Discord says) or a number, in this process; processes or processes:4, each in a process of its own (needs DATABASE_URL); 0/4, this process runs the first of four',
    allowed: 'auto, a number from 1 to 1000, processes, processes:4, or one shard of many such as 0/4',
    secret: false,
    schema: z
      .string()
      .regex(/^(auto|[1-9]\d{0,2}|1000|\d{1,3}\/[1-9]\d{0,2}|processes(:[1-9]\d{0,2})?)$/)
      .transform(readShards)
      .refine(({ ids, count }) => ids === 'auto' || ids.every((id) => id < count)),
  }),
  SLACK_BOT_TOKEN: setting({
    standard: '',
    meaning: 'bot token of the Slack app (xoxb-…); empty: Slack stays off',
    allowed: 'the token from OAuth & Permissions of the app, without spaces',
    secret: true,
    schema: token(/^\S+$/),
  }),
  SLACK_APP_TOKEN: setting({
    standard: '',
    meaning: 'app-level token of the Slack app (xapp-…), for Socket Mode',
    allowed: 'the app-level token from Basic Information of the app, without spaces',
    secret: true,
    schema: token(/^\S+$/),
  }),
  SLACK_SIGNING_SECRET: setting({
    standard: '',
    meaning: 'signing secret of the Slack app, for events over HTTP instead of Socket Mode',
    allowed: 'the signing secret from Basic Information of the app, without spaces',
    secret: true,
    schema: token(/^\S+$/),
  }),
  SLACK_PORT: setting({
    standard: '3100',
    meaning: 'port that takes events of Slack over HTTP, at /slack/events',
    allowed: 'a whole number from 0 to 65535 (0: any free one)',
    secret: false,
    schema: z.string().regex(/^\d+$/).transform(Number).pipe(z.number().max(65535)),
  }),
  SLACK_CLIENT_ID: setting({
    standard: '',
    meaning: 'client id of the Slack app, to let many workspaces install it at /slack/install',
    allowed: 'the client id from Basic Information of the app',
    secret: false,
    schema: token(/^\S+$/),
  }),
  SLACK_CLIENT_SECRET: setting({
    standard: '',
    meaning: 'client secret of the Slack app',
    allowed: 'the client secret from Basic Information of the app, without spaces',
    secret: true,
    schema: token(/^\S+$/),
  }),
  SLACK_API_URL: setting({
    standard: '',
    meaning: 'another server that speaks the Web API of Slack; empty: Slack itself',
    allowed: 'an address such as http://127.0.0.1:4000/api/',
    secret: false,
    schema: address.optional(),
  }),
  SECRETS_KEY: setting({
    standard: '',
    meaning: 'seals the tokens kept in the database; needed where workspaces install the Slack app themselves',
    allowed: 'at least 32 characters without spaces, such as `openssl rand -hex 32` makes',
    secret: true,
    schema: token(/^\S{32,}$/),
  }),
  HF_TOKEN: setting({
    standard: '',
    meaning: 'Hugging Face hub token, for gated models',
    allowed: 'a token that begins with hf_',
    secret: true,
    schema: token(/^hf_\w+$/),
  }),
  HF_HUB_CACHE: setting({
    standard: '',
    meaning: 'where models of the Hugging Face hub are kept; empty: the folder hub under DATA_DIR',
    allowed: 'the path of a folder',
    secret: false,
    schema: z
      .string()
      .refine((path) => !path.includes('\0'))
      .transform((path) => resolve(path))
      .optional(),
  }),
  HF_HUB_OFFLINE: setting({
    standard: '0',
    meaning: 'with 1 the hub is never asked: only models already kept are used',
    allowed: '0 or 1',
    secret: false,
    schema: z.enum(['0', '1']).transform((value) => value === '1'),
  }),
  HF_ENDPOINT: setting({
    standard: '',
    meaning: 'another server that speaks the API of the Hugging Face hub, such as a mirror; empty: the hub itself',
    allowed: 'an address such as https://huggingface.co',
    secret: false,
    schema: address.transform((url) => url.replace(/\/+$/, '')).optional(),
  }),
  EMBED_MODEL: setting({
    standard: '',
    meaning: 'a Transformers.js embedding model (hub id or folder) for finding passages; empty: the one that ships',
    allowed: 'the id of a model on the hub such as Xenova/all-MiniLM-L6-v2, or the path of a folder',
    secret: false,
    schema: z.string().min(1).max(300).optional(),
  }),
  RERANK_MODEL: setting({
    standard: '',
    meaning: 'a Transformers.js cross-encoder (hub id or folder) that orders the best passages anew; empty: none',
    allowed: 'the id of a model on the hub such as Xenova/ms-marco-MiniLM-L-6-v2, or the path of a folder',
    secret: false,
    schema: z.string().min(1).max(300).optional(),
  }),
  LLM_BASE_URL: setting({
    standard: '',
    meaning: 'a server that speaks the chat API of OpenAI (Ollama, vLLM, OpenAI…) and words answers; empty: none',
    allowed: 'an address such as http://127.0.0.1:11434/v1',
    secret: false,
    schema: address.transform((url) => url.replace(/\/+$/, '')).optional(),
  }),
  LLM_MODEL: setting({
    standard: '',
    meaning:
      'the model that words answers: its name at LLM_BASE_URL, or without that an instruct model for Transformers.js (hub id or folder); empty: answers are composed from the guide',
    allowed: 'the name of a model such as llama3.2:3b, the id of one on the hub, or the path of a folder',
    secret: false,
    schema: z.string().min(1).max(300).optional(),
  }),
  LLM_API_KEY: setting({
    standard: '',
    meaning: 'key for LLM_BASE_URL, where it asks for one',
    allowed: 'the key, without spaces',
    secret: true,
    schema: token(/^\S+$/),
  }),
  LLM_TIMEOUT: setting({
    standard: '20',
    meaning: 'seconds an answer waits for the LLM before it is composed without it',
    allowed: 'a whole number from 1 to 600',
    secret: false,
    schema: z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(1).max(600)),
  }),
  DEVICE: setting({
    standard: 'auto',
    meaning: 'what trains and predicts: auto | cpu | webgpu | cuda',
    allowed: `one of ${devices.join(', ')}`,
    secret: false,
    schema: z.enum(devices),
  }),
  LOG_LEVEL: setting({
    standard: 'info',
    meaning: 'how much is logged: trace | debug | info | warn | error | silent',
    allowed: `one of ${logLevels.join(', ')}`,
    secret: false,
    schema: z.enum(logLevels),
  }),
};

export type SettingName = keyof typeof settings;
export const settingNames = Object.keys(settings).filter((name): name is SettingName => name in settings);

/** Which of how many shards this process runs. */
function readShards(written: string): {
  readonly ids: 'auto' | readonly number[];
  readonly count: number;
  readonly processes?: 'auto' | number;
} {
  const [, amount] = /^processes(?::(\d+))?$/.exec(written) ?? [];
  if (written.startsWith('processes'))
    return { ids: 'auto', count: 1, processes: amount === undefined ? 'auto' : Number(amount) };
  if (written === 'auto') return { ids: 'auto', count: 1 };
  const [id, of] = written.split('/').map(Number);
  if (of !== undefined) return { ids: [id ?? 0], count: of };
  return { ids: Array.from({ length: id ?? 1 }, (_, shard) => shard), count: id ?? 1 };
}
