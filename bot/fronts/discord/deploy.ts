// Makes Discord know our commands: looks at what it knows and changes only what differs.
import { isDeepStrictEqual } from 'node:util';
import {
  type APIApplicationCommand,
  DiscordAPIError,
  type REST,
  type RESTPostAPIApplicationCommandsJSONBody,
  Routes,
} from 'discord.js';

export interface Deployment {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
}

type Wanted = RESTPostAPIApplicationCommandsJSONBody;

interface Difference {
  readonly create: readonly Wanted[];
  readonly change: readonly { readonly id: string; readonly command: Wanted }[];
  readonly remove: readonly APIApplicationCommand[];
  readonly unchanged: number;
}

export async function compareCommands(
  rest: REST,
  applicationId: string,
  wanted: readonly Wanted[],
): Promise<Difference> {
  const known = await knownCommands(rest, applicationId);
  const pairs = wanted.map((command) => ({ command, before: known.find((one) => isSame(one, command)) }));
  const create = pairs.flatMap(({ command, before }) => (before === undefined ? [command] : []));
  const change = pairs.flatMap(({ command, before }) =>
    before === undefined || isDeepStrictEqual(essence(before), essence(command)) ? [] : [{ id: before.id, command }],
  );
  return {
    create,
    change,
    remove: known.filter((command) => !wanted.some((one) => isSame(command, one))),
    unchanged: wanted.length - create.length - change.length,
  };
}

async function knownCommands(rest: REST, applicationId: string): Promise<readonly APIApplicationCommand[]> {
  try {
    return (await rest.get(Routes.applicationCommands(applicationId), {
      query: new URLSearchParams({ with_localizations: 'true' }),
    })) as readonly APIApplicationCommand[];
  } catch (error) {
    if (isUnsupported(error)) return [];
    throw error;
  }
}

/** A server that speaks a part of the protocol only. */
const isUnsupported = (error: unknown) =>
  error instanceof DiscordAPIError && (error.status === 404 || error.status === 405);

export async function deployCommands(
  rest: REST,
  applicationId: string,
  wanted: readonly Wanted[],
): Promise<Deployment> {
  const { create, change, remove, unchanged } = await compareCommands(rest, applicationId, wanted);
  try {
    for (const command of create) await rest.post(Routes.applicationCommands(applicationId), { body: command });
    for (const { id, command } of change)
      await rest.patch(Routes.applicationCommand(applicationId, id), { body: command });
    for (const { id } of remove) await rest.delete(Routes.applicationCommand(applicationId, id));
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    await rest.put(Routes.applicationCommands(applicationId), { body: wanted });
  }
  return {
    created: create.map(({ name }) => name),
    changed: change.map(({ command }) => command.name),
    removed: remove.map(({ name }) => name),
    unchanged,
  };
}

const isSame = (known: APIApplicationCommand, wanted: Wanted) =>
  known.name === wanted.name && known.type === (wanted.type ?? 1);

/** What of a command we decide, without what Discord adds or leaves out as its own default. */
function essence(command: APIApplicationCommand | Wanted): unknown {
  const { name, type = 1, name_localizations, contexts, integration_types } = command;
  return {
    name,
    type,
    description: 'description' in command ? command.description || undefined : undefined,
    name_localizations: tidy(name_localizations ?? {}),
    contexts: (contexts ?? []).toSorted(),
    integration_types: (integration_types ?? []).toSorted(),
    options: ('options' in command ? (command.options ?? []) : []).map(tidy),
  };
}

/** Without defaults (false, null, empty), recursively, keys in order. */
function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined && part !== null && part !== false)
      .filter(([, part]) => typeof part !== 'object' || Object.keys(part).length > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, tidy(part)]),
  );
}

export function describeDeployment({ created, changed, removed, unchanged }: Deployment): string {
  const parts = [
    ...(created.length > 0 ? [`new: ${created.join(', ')}`] : []),
    ...(changed.length > 0 ? [`changed: ${changed.join(', ')}`] : []),
    ...(removed.length > 0 ? [`removed: ${removed.join(', ')}`] : []),
    `unchanged: ${unchanged}`,
  ];
  return parts.join('; ');
}
