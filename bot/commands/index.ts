// Every command, by name. A new one is a file beside this and a line here.
import type { Command } from '../chat/command.ts';
import { ask } from './ask.ts';
import { explain } from './explain.ts';
import { help } from './help.ts';

export const commands: readonly Command[] = [help, ask, explain];
