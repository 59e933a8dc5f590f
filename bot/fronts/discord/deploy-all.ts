// The commands brought up to date without a connection to the gateway: for scripts.
import { type APIApplication, Routes } from 'discord.js';
import { UserError } from '../../../engine/index.ts';
import type { Command } from '../../chat/command.ts';
import { apiAddress } from './address.ts';
import { deployCommands, describeDeployment } from './deploy.ts';
import { createCalls, isUnauthorized } from './rest.ts';
import { slashCommands } from './slash.ts';

/** @returns what was done, in words. @throws UserError when Discord refuses the token or can't be reached. */
export async function deployAll(
  token: string,
  apiUrl: string | undefined,
  commands: readonly Pick<Command, 'name' | 'summary'>[],
): Promise<string> {
  const { rest } = createCalls({ token, apiUrl: apiAddress(apiUrl), now: () => new Date() });
  try {
    const application = (await rest.get(Routes.currentApplication())) as APIApplication;
    return `Discord: commands ${describeDeployment(await deployCommands(rest, application.id, slashCommands(commands)))}`;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (isUnauthorized(error)) {
      throw new UserError('Discord refused DISCORD_TOKEN.', 'Reset it on the Bot page of your application.', {
        cause: error,
      });
    }
    throw new UserError(
      `The commands could not be brought up to date: ${reason}.`,
      'Check DISCORD_API_URL and try again.',
      {
        cause: error,
      },
    );
  }
}
