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

export function createInstallations({
  engine,
  seal,
}: {
  engine: Pick<Engine, 'conversations' | 'kept'>;
  seal: Seal;
}): Installations {
  const { conversations, kept } = engine;

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
      const own = teamId === undefined ? undefined : await read(teamId);
      if (own !== undefined) return own;
      const org = enterpriseId === undefined ? undefined : await read(enterpriseId);
      if (org === undefined || enterpriseId === undefined) throw new Error('the app is not installed there');
      if (teamId !== undefined) {
        await conversations.openWorkspace(teamId, teamId);
        await kept.put(teamId, orgKind, name, enterpriseId);
      }
      return org;
    },

    async deleteInstallation({ teamId, enterpriseId, isEnterpriseInstall }: InstallationQuery<boolean>) {
      const workspaceId = isEnterpriseInstall ? enterpriseId : teamId;
      if (workspaceId !== undefined) await kept.remove(workspaceId, tokenKind, name);
    },

    async tokenOf(workspaceId) {
      const own = await read(workspaceId);
      if (own !== undefined) return own.bot?.token;
      const org = await kept.get(workspaceId, orgKind, name);
      return typeof org === 'string' ? (await read(org))?.bot?.token : undefined;
    },
  };
}

function isInstallation(value: unknown): value is Installation {
  return typeof value === 'object' && value !== null && 'user' in value && ('team' in value || 'enterprise' in value);
}
