// Who looks after a workspace: on this computer whoever sits at it; in a chat platform those who were named.
import type { Kept } from '../../engine/index.ts';
import type { Person, Place } from './message.ts';

const kind = 'maintainer';

export async function isMaintainer(kept: Pick<Kept, 'get'>, place: Place, person: Person): Promise<boolean> {
  if (isAtThisComputer(place)) return true;
  return (await kept.get(place.workspaceId, kind, person.id)) !== undefined;
}

export const isAtThisComputer = ({ front }: Place) => front === 'web' || front === 'terminal';

export async function nameMaintainer(kept: Pick<Kept, 'put'>, workspaceId: string, personId: string): Promise<void> {
  await kept.put(workspaceId, kind, personId, true);
}

export async function listMaintainers(kept: Pick<Kept, 'list'>, workspaceId: string): Promise<readonly string[]> {
  return (await kept.list(workspaceId, kind)).map(({ name }) => name);
}
