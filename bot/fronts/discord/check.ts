// doctor's look at Discord: whether the token is taken, what the bot may read and do where, and what to do next. Changes nothing.
import {
  type APIApplication,
  type APIUser,
  ApplicationIntegrationType,
  type REST,
  type RESTAPIPartialCurrentUserGuild,
  Routes,
} from 'discord.js';
import type { Command } from '../../chat/command.ts';
import { apiAddress } from './address.ts';
import { compareCommands, describeDeployment } from './deploy.ts';
import { readsMessages } from './intents.ts';
import { invited, inviteLink, missing } from './permissions.ts';
import { createCalls, isUnauthorized } from './rest.ts';
import { slashCommands } from './slash.ts';

export interface DiscordCheck {
  /** What is in place, a line each. */
  readonly found: readonly string[];
  /** What to mend, with the next step. */
  readonly problems: readonly string[];
}

export async function checkDiscord(
  token: string,
  apiUrl: string | undefined,
  commands: readonly Pick<Command, 'name' | 'summary'>[],
): Promise<DiscordCheck> {
  const found: string[] = [];
  const problems: string[] = [];
  try {
    const { rest } = createCalls({ token, apiUrl: apiAddress(apiUrl), now: () => new Date() });
    await look(rest, commands, found, problems);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.push(
      isUnauthorized(error)
        ? 'Discord does not take DISCORD_TOKEN. Reset it on the Bot page of discord.com/developers/applications and copy it again.'
        : `Discord can't be reached (${reason}). Check the network, and DISCORD_API_URL if it is set.`,
    );
  }
  return { found, problems };
}

async function look(
  rest: REST,
  commands: readonly Pick<Command, 'name' | 'summary'>[],
  found: string[],
  problems: string[],
) {
  const user = (await rest.get(Routes.user())) as APIUser;
  const application = (await rest.get(Routes.currentApplication())) as APIApplication;
  const guilds = (await rest.get(Routes.userGuilds())) as readonly RESTAPIPartialCurrentUserGuild[];
  found.push(`Discord: ${user.username}, in ${guilds.length} server${guilds.length === 1 ? '' : 's'}`);
  found.push(`Discord: invite it with ${inviteLink(application.id)}`);
  found.push(
    readsMessages(application.flags)
      ? 'Discord: reads messages in its threads without a mention'
      : 'Discord: reads mentions only; for follow-ups without a mention switch on Message Content Intent on the Bot page',
  );
  const { integration_types_config: installs } = application;
  if (installs !== undefined && !(ApplicationIntegrationType.UserInstall in installs))
    problems.push(
      'Discord: people can not install it for themselves. Tick User Install on the Installation page of the application.',
    );
  for (const { name, permissions } of guilds) {
    const lacking = missing(BigInt(permissions), invited);
    if (lacking.length > 0) {
      problems.push(
        `Discord: in ${name} the bot lacks ${lacking.join(', ')}. Invite it again, or give its role these.`,
      );
    }
  }
  const { create, change, remove, unchanged } = await compareCommands(rest, application.id, slashCommands(commands));
  const differs = create.length + change.length + remove.length > 0;
  const words = describeDeployment({
    created: create.map(({ name }) => name),
    changed: change.map(({ command }) => command.name),
    removed: remove.map(({ name }) => name),
    unchanged,
  });
  found.push(
    differs
      ? `Discord: commands differ (${words}); the next start, or finetutor deploy-commands, brings them up to date`
      : `Discord: ${unchanged} commands are up to date`,
  );
}
