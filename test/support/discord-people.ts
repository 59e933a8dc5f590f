// People in the small Discord: each does what a person can do with mouse and keyboard, and sees what they would see.
import { z } from 'zod';
import { type Component, readComponents, walk, wordsOf } from './discord-preview.ts';
import type { DiscordServer } from './discord-server.ts';
import type { Channel, Interaction, Message, User } from './discord-world.ts';

export interface SentFile {
  readonly name: string;
  readonly content: string;
}
type Values = { readonly [label: string]: string | readonly string[] | SentFile };

export interface DiscordPerson {
  readonly user: User;
  say(channel: Channel, text: string, options?: Parameters<DiscordServer['say']>[3]): Message;
  slash(
    channel: Channel,
    name: string,
    options?: { readonly [name: string]: string | number | SentFile | Channel },
  ): Promise<Interaction>;
  suggestions(channel: Channel, name: string, option: string, typed: string): Promise<readonly string[]>;
  menu(channel: Channel, name: string, on: Message): Promise<Interaction>;
  /** Presses the newest button with this label that they see. */
  press(channel: Channel, label: string): Promise<Interaction>;
  choose(channel: Channel, label: string): Promise<Interaction>;
  /** Opens the form by its button, fills it in by label, and sends it. */
  submit(channel: Channel, button: string, values: Values): Promise<Interaction>;
  /** Messages they see, oldest first. */
  messages(channel: Channel): readonly Message[];
  sees(channel: Channel): string;
}

const optionTypes = { string: 3, number: 4, channel: 7, file: 11 } as const;

export function createPerson(server: DiscordServer, user: User): DiscordPerson {
  const messages = (channel: Channel) =>
    channel.messages.filter(({ deleted, visibleTo }) => !deleted && (visibleTo === undefined || visibleTo === user.id));

  function find(channel: Channel, matches: (it: Component) => boolean, what: string) {
    for (const message of messages(channel).toReversed()) {
      const found = walk(readComponents(message.components)).find(matches);
      if (found !== undefined) return { message, component: found };
    }
    throw new Error(`${user.username} sees no ${what} in ${channel.name}`);
  }

  function command(name: string) {
    const known = server.commands.find((one) => one.name === name);
    if (known === undefined) throw new Error(`Discord knows no command ${name}`);
    return known;
  }

  async function press(channel: Channel, label: string) {
    const { message, component } = find(channel, (it) => it.type === 2 && it.label === label, `button ${label}`);
    if (component.disabled) throw new Error(`${label} is disabled`);
    return server.interact(user, channel, 3, { custom_id: component.custom_id, component_type: 2 }, message);
  }

  return {
    user,
    messages,
    press,
    say: (channel, text, options) => server.say(user, channel, text, options),
    slash(channel, name, given = {}) {
      const attachments: { [id: string]: object } = {};
      const options = Object.entries(given).map(([option, value]) => {
        if (typeof value !== 'object')
          return { name: option, type: optionTypes[typeof value as 'string' | 'number'], value };
        if ('messages' in value) return { name: option, type: optionTypes.channel, value: value.id };
        const file = server.putFile(value.name, value.content);
        attachments[file.id] = { ...file, proxy_url: file.url };
        return { name: option, type: optionTypes.file, value: file.id };
      });
      const { id, type } = command(name);
      return server.interact(user, channel, 2, { id, name, type, options, resolved: { attachments } });
    },
    async suggestions(channel, name, option, typed) {
      const { id } = command(name);
      const data = { id, name, type: 1, options: [{ name: option, type: 3, value: typed, focused: true }] };
      return ((await server.interact(user, channel, 4, data)).choices ?? []).map((choice) => choice.name);
    },
    menu(channel, name, on) {
      const { id } = command(name);
      return server.interact(user, channel, 2, {
        id,
        name,
        type: 3,
        target_id: on.id,
        resolved: { messages: { [on.id]: server.world.toMessage(on) } },
      });
    },
    choose(channel, label) {
      const { message, component } = find(
        channel,
        (it) => it.type === 3 && (it.options ?? []).some((one) => one.label === label),
        `option ${label}`,
      );
      const value = component.options?.find((one) => one.label === label)?.value;
      return server.interact(
        user,
        channel,
        3,
        { custom_id: component.custom_id, component_type: 3, values: [value] },
        message,
      );
    },
    async submit(channel, button, values) {
      const { message } = find(channel, (it) => it.type === 2 && it.label === button, `button ${button}`);
      const { modal } = await press(channel, button);
      if (modal === undefined) throw new Error(`${button} opened no modal`);
      const { custom_id, components } = z
        .object({ custom_id: z.string(), components: z.array(z.unknown()) })
        .parse(modal);
      const attachments: { [id: string]: object } = {};
      const filled = readComponents(components).map((it) => {
        const input = it.component;
        if (input === undefined) return { type: 10, id: 1 };
        const value = values[it.label ?? ''];
        return {
          type: 18,
          id: 1,
          component: { type: input.type, id: 2, custom_id: input.custom_id, ...fill(input, value) },
        };
      });
      for (const label of Object.keys(values)) {
        if (!readComponents(components).some((it) => it.label === label))
          throw new Error(`the modal has no field ${label}`);
      }
      const data = { custom_id, components: filled, resolved: { attachments } };
      return server.interact(user, channel, 5, data, message);

      function fill(input: Component, value: Values[string] | undefined) {
        if (input.type === 19) {
          if (value === undefined || typeof value === 'string' || !('name' in value)) return { values: [] };
          const file = server.putFile(value.name, value.content);
          attachments[file.id] = { ...file, proxy_url: file.url };
          return { values: [file.id] };
        }
        if (input.type === 22 || (input.max_values ?? 1) > 1) {
          const ticked = (input.options ?? []).filter((one) =>
            Array.isArray(value) ? value.includes(one.label) : one.default,
          );
          if (Array.isArray(value) && ticked.length < value.length)
            throw new Error(`not all of ${value} can be ticked`);
          return { values: ticked.map((one) => one.value) };
        }
        if (typeof value === 'object') throw new Error('a file goes into a file field');
        if (input.type === 4) return { value: value ?? input.value ?? '' };
        const chosen = input.options?.find((one) => (value === undefined ? one.default : one.label === value))?.value;
        if (value !== undefined && chosen === undefined) throw new Error(`there is no option ${value}`);
        return input.type === 21 ? { value: chosen ?? null } : { values: chosen === undefined ? [] : [chosen] };
      }
    },
    sees: (channel) =>
      messages(channel)
        .map((message) => wordsOf(message))
        .join('\n\n'),
  };
}
