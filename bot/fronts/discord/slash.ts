// The bot's commands as Discord knows them, made from the table of commands: typed options with bounds, suggestions, and
// names in other languages. Also the way back: what a person filled in → a call.
import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  ChannelType,
  InteractionContextType,
  type RESTPostAPIApplicationCommandsJSONBody,
} from 'discord.js';
import type { Command } from '../../chat/command.ts';
import { shorten } from '../../chat/escape.ts';
import type { Call, Json } from '../../chat/message.ts';
import { limits } from './limits.ts';
import { contextNames, localNames } from './local-names.ts';
import { type SlashOption, slashOptions } from './slash-options.ts';

/** In the menu of a message. */
export const contextMenu = { explain: 'Explain this', quiz: 'Quiz me on this' } as const;

const everywhere = {
  integration_types: [ApplicationIntegrationType.GuildInstall, ApplicationIntegrationType.UserInstall],
  contexts: [InteractionContextType.Guild, InteractionContextType.BotDM, InteractionContextType.PrivateChannel],
};

export function slashCommands(
  commands: readonly Pick<Command, 'name' | 'summary'>[],
): readonly RESTPostAPIApplicationCommandsJSONBody[] {
  return [
    ...commands.map(({ name, summary }): RESTPostAPIApplicationCommandsJSONBody => {
      const options = slashOptions(name);
      return {
        ...everywhere,
        type: ApplicationCommandType.ChatInput,
        name,
        description: shorten(summary, limits.command.descriptionCharacters),
        ...localized(localNames[name]),
        options: [...options.filter(isRequired), ...options.filter((option) => !isRequired(option))].map(toOption),
      };
    }),
    ...Object.values(contextMenu).map(
      (name): RESTPostAPIApplicationCommandsJSONBody => ({
        ...everywhere,
        type: ApplicationCommandType.Message,
        name,
        ...localized(contextNames[name]),
      }),
    ),
  ];
}

const isRequired = ({ required }: SlashOption) => required === true;
const localized = (names: { readonly [locale: string]: string } | undefined) =>
  names === undefined ? {} : { name_localizations: names };

function toOption(option: SlashOption) {
  const { name, description } = option;
  const base = { name, description, ...(option.required ? { required: true } : {}) };
  switch (option.kind) {
    case 'text': {
      const longest = option.longest === undefined ? {} : { max_length: option.longest };
      const suggests = option.suggested === undefined ? {} : { autocomplete: true as const };
      return { ...base, type: ApplicationCommandOptionType.String as const, ...longest, ...suggests };
    }
    case 'whole':
      return {
        ...base,
        type: ApplicationCommandOptionType.Integer as const,
        min_value: option.least,
        max_value: option.most,
      };
    case 'choice':
      return {
        ...base,
        type: ApplicationCommandOptionType.String as const,
        choices: option.choices.map((value) => ({ name: value, value })),
      };
    case 'file':
      return { ...base, type: ApplicationCommandOptionType.Attachment as const };
    case 'forum':
      return {
        ...base,
        type: ApplicationCommandOptionType.Channel as const,
        channel_types: [ChannelType.GuildForum as const],
      };
  }
}

/** What a person filled in, by option name; for a file the attachment's id. */
export interface FilledIn {
  readonly name: string;
  readonly value: string | number | boolean;
}

export interface SlashCall {
  readonly call: Call;
  /** Argument → id of the attachment given for it. */
  readonly files: ReadonlyMap<string, string>;
  /** Forum in which a post is wanted. */
  readonly forumId: string | undefined;
}

export function readSlash(command: Pick<Command, 'name' | 'parse'>, filledIn: readonly FilledIn[]): SlashCall {
  const args: { [name: string]: Json } = {};
  const files = new Map<string, string>();
  let forumId: string | undefined;
  for (const option of slashOptions(command.name)) {
    const given = filledIn.find(({ name }) => name === option.name)?.value;
    if (given === undefined) continue;
    if (option.kind === 'forum') forumId = String(given);
    else if (option.kind === 'file') files.set(option.argument, String(given));
    else if (option.argument === '') Object.assign(args, command.parse(String(given)));
    else args[option.argument] = given;
  }
  return { call: { command: command.name, args: complete(command.name, args, files) }, files, forumId };
}

/** What a command needs to be told that its options leave unsaid. */
function complete(command: string, args: { readonly [name: string]: Json }, files: ReadonlyMap<string, string>) {
  if (command === 'runs' && args.run !== undefined && args.action === undefined) return { ...args, action: 'show' };
  // A file with settings is ready to be trained on; a file alone is looked at first, then asked about.
  if (command === 'finetune' && files.size > 0 && Object.keys(args).length > 0) return { data: 'upload', ...args };
  return args;
}
