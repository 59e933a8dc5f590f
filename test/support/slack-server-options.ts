// What the Slack for tests can be told to be.
import type { Clock } from './stopped-clock.ts';

export const everyScope = [
  'app_mentions:read',
  'assistant:write',
  'channels:history',
  'chat:write',
  'commands',
  'files:read',
  'files:write',
  'groups:history',
  'im:history',
  'im:write',
  'mpim:history',
  'users:read',
] as const;

export interface SlackServerOptions {
  readonly teamId?: string;
  readonly enterpriseId?: string;
  readonly scopes?: readonly string[];
  /** How long a trigger id serves; Slack gives 3 s. */
  readonly triggerMs?: number;
  /** Waits between the retries of an event; Slack waits up to minutes. */
  readonly retryDelaysMs?: readonly number[];
  readonly acknowledgeMs?: number;
  /** False: calls are held to our own rules only, not to the published contract too. */
  readonly spec?: boolean;
  /** What time it is there; a virtual one makes hours pass in a moment. */
  readonly clock?: Clock;
  /** Slack asks for a new socket after some hours, and closes the old one soon after. */
  readonly socketLifeMs?: number;
  /** A server of other people: the oldest methods and blocks, and whatever may be left out left out. */
  readonly frugal?: boolean;
  /** How an answer reaches an app with Request URLs: undefined is Socket Mode. */
  readonly http?: { readonly url: string; readonly signingSecret: string };
}
