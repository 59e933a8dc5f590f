// One process at a time may open the embedded database: a lock file says who has it, and a dead owner's is taken over.
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { UserError } from '../errors.ts';

const ownerSchema = z.object({
  token: z.string(),
  pid: z.number().int(),
  /** Clock ticks after boot at which the process started, where /proc tells: another process of the same pid differs. */
  processStart: z.string().optional(),
  /** Boot and pid namespace: in another one (a container, another host) a pid says nothing. */
  realm: z.string(),
  since: z.string(),
});
type Owner = z.output<typeof ownerSchema>;

export interface LockTiming {
  /** How often a living owner touches the file. */
  readonly heartbeatMs: number;
  /** How long an owner whose pid we cannot see may be silent before it counts as dead. */
  readonly silenceMs: number;
}

/**
 * Takes the lock or throws; the owner's heartbeat is the file's time of change.
 * @returns a function that gives the lock back.
 * @throws UserError naming the process that holds it.
 */
export async function lockFolder(
  lockPath: string,
  folder: string,
  timing: LockTiming = { heartbeatMs: 1_000, silenceMs: 6_000 },
): Promise<() => void> {
  const me: Owner = { token: randomUUID(), ...identify(process.pid), since: new Date().toISOString() };
  while (!create(lockPath, me)) {
    const owner = read(lockPath);
    if (owner !== 'gone' && (await isAlive(lockPath, owner, timing))) throw inUse(folder, owner);
    if (owner !== 'gone') remove(lockPath, owner);
  }
  const heartbeat = setInterval(() => touch(lockPath, me), timing.heartbeatMs);
  heartbeat.unref();
  const unlock = () => {
    clearInterval(heartbeat);
    process.off('exit', unlock);
    const owner = read(lockPath);
    if (owner !== 'gone' && owner?.token === me.token) rmSync(lockPath, { force: true });
  };
  process.once('exit', unlock);
  return unlock;
}

/** Appears complete or not at all: written aside, then linked to its name. @returns false when somebody has it. */
function create(lockPath: string, owner: Owner): boolean {
  const aside = `${lockPath}.${owner.token}`;
  writeFileSync(aside, JSON.stringify(owner));
  try {
    linkSync(aside, lockPath);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** @returns undefined for a file that is no lock of ours (a torn one): nobody holds that. */
function read(lockPath: string): Owner | undefined | 'gone' {
  try {
    return ownerSchema.safeParse(JSON.parse(readFileSync(lockPath, 'utf8'))).data;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 'gone';
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Takes a dead owner's lock away; if another process was quicker and it is theirs by now, it is put back. */
function remove(lockPath: string, dead: Owner | undefined): void {
  const aside = `${lockPath}.${randomUUID()}`;
  try {
    renameSync(lockPath, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const taken = read(aside);
  if (taken !== 'gone' && taken?.token !== dead?.token) linkSync(aside, lockPath);
  rmSync(aside, { force: true });
}

async function isAlive(
  lockPath: string,
  owner: Owner | undefined,
  { heartbeatMs, silenceMs }: LockTiming,
): Promise<boolean> {
  if (owner === undefined) return false;
  const here = identify(owner.pid);
  if (owner.realm === here.realm) {
    return exists(owner.pid) && (owner.processStart === undefined || owner.processStart === here.processStart);
  }
  const before = changedAt(lockPath);
  for (let waitedMs = 0; waitedMs < silenceMs; waitedMs += heartbeatMs / 2) {
    await sleep(heartbeatMs / 2);
    if (changedAt(lockPath) !== before) return true;
  }
  return false;
}

function inUse(folder: string, owner: Owner | undefined): UserError {
  const who = owner === undefined ? 'another process' : `process ${owner.pid} (running since ${owner.since})`;
  return new UserError(
    `The data folder ${folder} is already open in ${who}.`,
    'Use the page of that one, or stop it, or start this one with DATA_DIR set to another folder.',
  );
}

function identify(pid: number): Pick<Owner, 'pid' | 'processStart' | 'realm'> {
  const boot = tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = tryRead(() => readlinkSync('/proc/self/ns/pid'));
  const start = tryRead(() => startOf(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  return { pid, ...(start === undefined ? {} : { processStart: start }), realm: `${boot ?? ''} ${namespace ?? ''}` };
}

/** Field 22 of /proc/PID/stat, counted after the bracketed name, which may hold anything; undefined for a zombie. */
function startOf(stat: string): string | undefined {
  const fields = stat.replace(/^.*\) /s, '').split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

function touch(lockPath: string, me: Owner): void {
  const owner = read(lockPath);
  if (owner !== 'gone' && owner?.token === me.token) utimesSync(lockPath, new Date(), new Date());
}

const changedAt = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs;

function tryRead<T>(readIt: () => T): T | undefined {
  try {
    return readIt();
  } catch {
    return undefined; // Not Linux, or no such process: the caller does without.
  }
}

const hasCode = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code;
