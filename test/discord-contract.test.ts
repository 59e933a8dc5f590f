// The Discord front keeps the contract of every front, with the real client against a strict Discord.
import { createDiscordHarness } from './support/discord-harness.ts';
import { describeFront } from './support/front-contract.ts';

describeFront('discord', (engine) => createDiscordHarness(engine));
