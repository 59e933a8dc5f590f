// Which token speaks for which workspace: the one of the settings, or those people gave by installing the app (OAuth),
// kept in our database, sealed. An installation for a whole organisation serves each of its workspaces.
import type { Installation, InstallationQuery, InstallationStore } from '@slack/bolt';
import type { Engine } from '../../../engine/index.ts';
import { parseJson } from './actions.ts';
import type { Seal } from './seal.ts';

const tokenKind = 'slack.installation';
const orgKind = 'slack.organisation';
const name = 'bot';

export interface Installations extends InstallationStore {
  /** The bot token of a workspace; undefined where the app is not installed. */
  tokenOf(workspaceId: string): Promise<string | undefined>;
}

export interface Rotated {
  readonly token: string;
  readonly refreshToken: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

export interface InstallationsOptions {
  readonly engine: Pick<Engine, 'conversations' | 'kept'>;
  readonly seal: Seal;
  /** Trades a refresh token, which serves once, for new ones. @throws SlackProblem */
  readonly rotate: (refreshToken: string) => Promise<Rotated>;
  readonly now: () => Date;
}

/** An app that lets its tokens expire gets twelve hours each; new ones are fetched this long before. */
const freshForMs = 2 * 3_600_000;

export function createInstallations({ engine, seal, rotate, now }: InstallationsOptions): Installations {
  const { conversations, kept } = engine;
  const rotating = new Map<string, Promise<Installation>>();

  async function store(workspaceId: string, title: string, installation: Installation) {
    await conversations.openWorkspace(workspaceId, title);
    await kept.put(workspaceId, tokenKind, name, seal.seal(JSON.stringify(installation), workspaceId));
  }

  async function read(workspaceId: string): Promise<Installation | undefined> {
    const sealed = await kept.get(workspaceId, tokenKind, name);
    if (typeof sealed !== 'string') return undefined;
    const installation = parseJson(seal.open(sealed, workspaceId));
    return isInstallation(installation) ? installation : undefined;
  }

  /** With a token that serves for a while yet. */
  async function readFresh(workspaceId: string): Promise<Installation | undefined> {
    const installation = await read(workspaceId);
    if (installation === undefined || !isStale(installation)) return installation;
    const known = rotating.get(workspaceId);
    if (known !== undefined) return known;
    const renewing = renew(workspaceId, installation).finally(() => rotating.delete(workspaceId));
    rotating.set(workspaceId, renewing);
    return renewing;
  }

  const isStale = ({ bot }: Installation) =>
    bot?.refreshToken !== undefined &&
    bot.expiresAt !== undefined &&
    bot.expiresAt * 1000 - now().getTime() < freshForMs;

  async function renew(workspaceId: string, installation: Installation): Promise<Installation> {
    const { bot } = installation;
    if (bot?.refreshToken === undefined) return installation;
    try {
      const renewed = { ...installation, bot: { ...bot, ...(await rotate(bot.refreshToken)) } };
      await kept.put(workspaceId, tokenKind, name, seal.seal(JSON.stringify(renewed), workspaceId));
      return renewed;
    } catch (error) {
      // Another replica may have been first: then its tokens are there by now.
      const standing = await read(workspaceId);
      if (standing !== undefined && !isStale(standing)) return standing;
      if ((bot.expiresAt ?? 0) * 1000 > now().getTime()) return installation;
      throw error;
    }
  }

  return {
    async storeInstallation(installation) {
      if (installation.isEnterpriseInstall && installation.enterprise !== undefined) {
        await store(installation.enterprise.id, installation.enterprise.name ?? 'Slack organisation', installation);
      } else if (installation.team !== undefined) {
        await store(installation.team.id, installation.team.name ?? 'Slack workspace', installation);
      } else throw new Error('an installation without a workspace and without an organisation');
    },

    async fetchInstallation(query: InstallationQuery<boolean>) {
      const { teamId, enterpriseId } = query;
      const own = teamId === undefined ? undefined : await readFresh(teamId);
      if (own !== undefined) return withoutRefresh(own);
      const org = enterpriseId === undefined ? undefined : await readFresh(enterpriseId);
      if (org === undefined || enterpriseId === undefined) throw new Error('the app is not installed there');
      if (teamId !== undefined) {
        await conversations.openWorkspace(teamId, teamId);
        await kept.put(teamId, orgKind, name, enterpriseId);
      }
      return withoutRefresh(org);
    },

    async deleteInstallation({ teamId, enterpriseId, isEnterpriseInstall }: InstallationQuery<boolean>) {
      const workspaceId = isEnterpriseInstall ? enterpriseId : teamId;
      if (workspaceId !== undefined) await kept.remove(workspaceId, tokenKind, name);
    },

    async tokenOf(workspaceId) {
      const own = await readFresh(workspaceId);
      if (own !== undefined) return own.bot?.token;
      const org = await kept.get(workspaceId, orgKind, name);
      return typeof org === 'string' ? (await readFresh(org))?.bot?.token : undefined;
    },
  };
}

/** Bolt renews what it can by itself; a refresh token serves once, so one side alone may have it. */
function withoutRefresh(installation: Installation): Installation {
  if (installation.bot === undefined) return installation;
  const { refreshToken: _, expiresAt: __, ...bot } = installation.bot;
  return { ...installation, bot };
}

function isInstallation(value: unknown): value is Installation {
  return typeof value === 'object' && value !== null && 'user' in value && ('team' in value || 'enterprise' in value);
}
