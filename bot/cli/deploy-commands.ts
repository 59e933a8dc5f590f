// `finetutor deploy-commands`: brings what Discord knows of the commands up to date. A start does the same by itself.
import { UserError } from '../../engine/index.ts';
import { commands } from '../commands/index.ts';
import { processEnvironment, readConfig } from '../config.ts';
import { printWords } from './print.ts';

export async function deploy(): Promise<void> {
  const { discordToken, discordApiUrl } = readConfig(processEnvironment());
  if (discordToken === undefined) {
    throw new UserError('DISCORD_TOKEN is not set.', 'Set it in .env: docs/discord.md says where it comes from.');
  }
  const { deployAll } = await import('../fronts/discord/deploy-all.ts');
  printWords(await deployAll(discordToken, discordApiUrl, commands));
}
