// Bolt's log as lines of ours: its warnings and errors, without the bodies it writes when it is talkative.
import { LogLevel, type webApi } from '@slack/bolt';
import type { Logger as OurLog } from 'pino';

export type BoltLog = NonNullable<NonNullable<ConstructorParameters<typeof webApi.WebClient>[1]>['logger']>;

export function createBoltLog(log: Pick<OurLog, 'warn' | 'debug'>): BoltLog {
  const say = (parts: readonly unknown[]) =>
    parts.map((part) => (part instanceof Error ? part.message : String(part))).join(' ');
  return {
    debug: () => {},
    info: () => {},
    warn: (...parts: unknown[]) => log.warn({ front: 'slack' }, say(parts)),
    // What Bolt calls an error we meet again where the call was made; there it is logged with what it was for.
    error: (...parts: unknown[]) => log.debug({ front: 'slack' }, say(parts)),
    setLevel: () => {},
    getLevel: () => LogLevel.WARN,
    setName: () => {},
  };
}
