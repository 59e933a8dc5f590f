// What there is for each workspace: its token, the calls made with it, the files fetched with it.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Circuit, createCircuit } from '../circuit.ts';
import { createDownloads, type Downloads } from '../download.ts';
import { type SlackAccess, slackApiUrl } from './access.ts';
import { type Counts, createApi, type SlackApi, SlackProblem } from './api.ts';
import type { BoltLog } from './bolt-log.ts';
import type { Installations } from './installations.ts';
import { fileLimitBytes } from './intake.ts';

export interface WorkspacesOptions {
  readonly access: SlackAccess;
  readonly installations: Pick<Installations, 'tokenOf'> | undefined;
  readonly apiUrl: string;
  readonly dataDir: string;
  readonly counts: Counts;
  /** Scopes of the token in the settings, where Slack has told them. */
  readonly granted: () => readonly string[] | undefined;
  readonly log: BoltLog;
  readonly now: () => Date;
}

export interface Workspaces {
  /** @throws SlackProblem for a workspace that has not installed the app. */
  apiOf(workspaceId: string): Promise<SlackApi>;
  downloadsOf(workspaceId: string): Promise<Downloads>;
  /** @returns the channel of the person's direct messages with us. */
  directMessage(workspaceId: string, personId: string): Promise<string>;
  /** A workspace's token is no good any more. */
  forget(workspaceId: string): void;
  circuits(): readonly Circuit[];
  /** Workspaces whose token Slack does not take any more. */
  troubled(): readonly { readonly workspaceId: string; readonly problem: string }[];
}

/** Hosts that people's files lie on. */
const fileHosts = ['files.slack.com', 'slack-files.com'];

interface Calls {
  readonly token: string;
  readonly api: SlackApi;
  readonly circuit: Circuit;
  lastProblem: string | undefined;
}

export function createWorkspaces(options: WorkspacesOptions): Workspaces {
  const { access, installations, apiUrl, counts, log, now } = options;
  const apis = new Map<string, Calls>();
  const downloads = new Map<string, { readonly token: string; readonly downloads: Downloads }>();

  async function tokenOf(workspaceId: string): Promise<string> {
    const token = access.kind === 'token' ? access.botToken : await installations?.tokenOf(workspaceId);
    if (token === undefined) throw new SlackProblem('token', 'not_installed', 'credentials');
    return token;
  }

  async function apiOf(workspaceId: string): Promise<SlackApi> {
    const token = await tokenOf(workspaceId);
    const known = apis.get(workspaceId);
    if (known?.token === token) return known.api;
    const circuit = createCircuit({ failures: 20, windowMs: 60_000, coolDownMs: 30_000, now });
    const calls = createApi({ token, apiUrl, circuit, counts, log, granted: options.granted() });
    const entry: Calls = {
      token,
      circuit,
      lastProblem: undefined,
      api: {
        async call(method, args) {
          try {
            const answer = await calls.call(method, args);
            entry.lastProblem = undefined;
            return answer;
          } catch (error) {
            if (error instanceof SlackProblem && error.trouble === 'credentials') entry.lastProblem = error.code;
            throw error;
          }
        },
      },
    };
    apis.set(workspaceId, entry);
    return entry.api;
  }

  async function downloadsOf(workspaceId: string): Promise<Downloads> {
    const token = await tokenOf(workspaceId);
    const known = downloads.get(workspaceId);
    if (known?.token === token) return known.downloads;
    const folder = createHash('sha256').update(workspaceId).digest('hex').slice(0, 16);
    const made = createDownloads({
      folder: join(options.dataDir, 'slack-uploads', folder),
      limitBytes: fileLimitBytes,
      hosts: apiUrl === slackApiUrl ? fileHosts : [...fileHosts, new URL(apiUrl).hostname],
      headers: { authorization: `Bearer ${token}` },
    });
    downloads.set(workspaceId, { token, downloads: made });
    return made;
  }

  async function directMessage(workspaceId: string, personId: string): Promise<string> {
    const api = await apiOf(workspaceId);
    const answer = await api.call('conversations.open', { users: personId });
    const { channel } = answer;
    if (typeof channel === 'object' && channel !== null && 'id' in channel && typeof channel.id === 'string')
      return channel.id;
    throw new SlackProblem('conversations.open', 'no channel came back', 'refused');
  }

  return {
    apiOf,
    downloadsOf,
    directMessage,
    forget(workspaceId) {
      apis.delete(workspaceId);
      downloads.delete(workspaceId);
    },
    circuits: () => [...apis.values()].map(({ circuit }) => circuit),
    troubled: () =>
      [...apis].flatMap(([workspaceId, { lastProblem }]) =>
        lastProblem === undefined ? [] : [{ workspaceId, problem: lastProblem }],
      ),
  };
}
