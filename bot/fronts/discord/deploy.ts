// Makes Discord know our commands: looks at what it knows and changes only what differs.
import { isDeepStrictEqual } from 'node:util';
import { type APIApplicationCommand, type REST, type RESTPostAPIApplicationCommandsJSONBody, Routes } from 'discord.js';

export interface Deployment {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
}

type Wanted = RESTPostAPIApplicationCommandsJSONBody;

export async function deployCommands(
  rest: REST,
  applicationId: string,
  wanted: readonly Wanted[],
): Promise<Deployment> {
  const known = (await rest.get(Routes.applicationCommands(applicationId), {
    query: new URLSearchParams({ with_localizations: 'true' }),
  })) as readonly APIApplicationCommand[];
  const created: string[] = [];
  const changed: string[] = [];
  const removed: string[] = [];
  for (const command of wanted) {
    const before = known.find((one) => isSame(one, command));
    if (before === undefined) {
      await rest.post(Routes.applicationCommands(applicationId), { body: command });
      created.push(command.name);
    } else if (!isDeepStrictEqual(essence(before), essence(command))) {
      await rest.patch(Routes.applicationCommand(applicationId, before.id), { body: command });
      changed.push(command.name);
    }
  }
  for (const command of known) {
    if (wanted.some((one) => isSame(command, one))) continue;
    await rest.delete(Routes.applicationCommand(applicationId, command.id));
    removed.push(command.name);
  }
  return { created, changed, removed, unchanged: wanted.length - created.length - changed.length };
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
