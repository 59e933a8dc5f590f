// How deep a person wants answers to go: kept by workspace and person.
import { z } from 'zod';
import { type Kept, type Level, levels } from '../../engine/index.ts';
import type { Person, Place } from './message.ts';

export const levelSchema = z.enum(levels);
const kind = 'level';

export async function levelOf(kept: Pick<Kept, 'get'>, place: Place, person: Person): Promise<Level> {
  const level = levelSchema.safeParse(await kept.get(place.workspaceId, kind, person.id));
  return level.success ? level.data : 'student';
}

export async function keepLevel(kept: Pick<Kept, 'put'>, place: Place, person: Person, level: Level): Promise<void> {
  await kept.put(place.workspaceId, kind, person.id, level);
}
