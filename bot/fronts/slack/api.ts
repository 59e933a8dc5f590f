// Calls of Slack's Web API, sorted by what can be done about a failure: wait, try again, mend the token, or tell the person.
import { webApi } from '@slack/bolt';
import type { Circuit } from '../circuit.ts';
import type { BoltLog } from './bolt-log.ts';
import { scopeOfMethod } from './scopes.ts';

export type Fields = { readonly [name: string]: unknown };

export type Trouble =
  /** Slack asks us to wait. */
  | 'wait'
  /** Nobody knows whether it was carried out. */
  | 'unsure'
  /** The token is no good any more. */
  | 'credentials'
  /** The app lacks a permission. */
  | 'permission'
  /** Refused as it is; repeating it would not help. */
  | 'refused';

export class SlackProblem extends Error {
  override readonly name = 'SlackProblem';
  readonly method: string;
  /** Slack's error code. */
  readonly code: string;
  readonly trouble: Trouble;
  readonly waitMs: number | undefined;
  /** The scope that is missing. */
  readonly needed: string | undefined;

  constructor(
    method: string,
    code: string,
    trouble: Trouble,
    { waitMs, needed, cause }: { waitMs?: number; needed?: string; cause?: unknown } = {},
  ) {
    super(`${method}: ${code}`, { cause });
    this.method = method;
    this.code = code;
    this.trouble = trouble;
    this.waitMs = waitMs;
    this.needed = needed;
  }
}

export interface SlackApi {
  /** @throws SlackProblem */
  call(method: string, args: Fields): Promise<Fields>;
}

/** What was refused, since the start. */
export interface Counts {
  unauthorised: number;
  forbidden: number;
  rateLimited: number;
  unreachable: number;
}

const credentialCodes = new Set([
  'invalid_auth',
  'not_authed',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'user_removed_from_team',
  'team_disabled',
]);
const permissionCodes = new Set([
  'missing_scope',
  'no_permission',
  'access_denied',
  'org_login_required',
  'ekm_access_denied',
  'not_allowed_token_type',
]);
const passingCodes = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]);

export interface ApiOptions {
  readonly token: string;
  readonly apiUrl: string;
  readonly circuit: Circuit;
  readonly counts: Counts;
  readonly log: BoltLog;
  readonly timeoutMs?: number;
  /** Scopes of the token, as far as they are known; each answer of Slack tells them anew. */
  readonly granted?: readonly string[] | undefined;
}

/** How our clients talk: every refusal comes back at once, and what to do about it is decided here. */
export const clientOptions = (apiUrl: string, log: BoltLog, timeoutMs = 15_000) => ({
  slackApiUrl: apiUrl,
  retryConfig: { retries: 0 },
  rejectRateLimitedCalls: true,
  timeout: timeoutMs,
  logger: log,
});

export function createApi({ token, apiUrl, circuit, counts, log, timeoutMs, ...given }: ApiOptions): SlackApi {
  const client = new webApi.WebClient(token, clientOptions(apiUrl, log, timeoutMs));
  /** Why the token was refused last: until it is tried again, nothing is worth waiting for. */
  let refusedFor: string | undefined;
  let granted = given.granted;

  return {
    async call(method, args) {
      const needed = scopeOfMethod[method];
      if (needed !== undefined && granted?.includes(needed) === false)
        throw new SlackProblem(method, 'missing_scope', 'permission', { needed });
      if (!circuit.allows()) {
        if (refusedFor !== undefined) throw new SlackProblem(method, refusedFor, 'credentials');
        throw new SlackProblem(method, 'circuit_open', 'wait', { waitMs: 5000 });
      }
      try {
        const answer = await client.apiCall(method, args);
        granted = answer.response_metadata?.scopes ?? granted;
        circuit.succeeded();
        refusedFor = undefined;
        return { ...answer };
      } catch (error) {
        const problem = toProblem(method, error);
        count(problem, counts);
        if (problem.trouble === 'credentials') {
          refusedFor = problem.code;
          circuit.trip();
        } else if (problem.trouble === 'wait' || problem.trouble === 'permission') circuit.failed();
        else circuit.succeeded();
        throw problem;
      }
    },
  };
}

export function toProblem(method: string, error: unknown): SlackProblem {
  if (error instanceof SlackProblem) return error;
  if (error instanceof webApi.WebAPIRateLimitedError) {
    return new SlackProblem(method, 'ratelimited', 'wait', { waitMs: error.retryAfter * 1000, cause: error });
  }
  if (error instanceof webApi.WebAPIHTTPError) {
    const status = error.statusCode;
    const trouble =
      status === 401 ? 'credentials' : status === 403 ? 'permission' : status >= 500 ? 'unsure' : 'refused';
    return new SlackProblem(method, `http_${status}`, trouble, { cause: error });
  }
  if (error instanceof webApi.WebAPIPlatformError) {
    const code = error.data.error;
    const needed = 'needed' in error.data ? error.data.needed : undefined;
    if (credentialCodes.has(code)) return new SlackProblem(method, code, 'credentials', { cause: error });
    if (permissionCodes.has(code)) {
      return new SlackProblem(method, code, 'permission', {
        cause: error,
        ...(typeof needed === 'string' ? { needed } : {}),
      });
    }
    if (code === 'ratelimited' || code === 'rate_limited' || code === 'message_limit_exceeded') {
      return new SlackProblem(method, code, 'wait', { waitMs: 1000, cause: error });
    }
    return new SlackProblem(method, code, passingCodes.has(code) ? 'unsure' : 'refused', { cause: error });
  }
  const code = error instanceof webApi.WebAPIRequestError ? error.original.message : 'unreachable';
  return new SlackProblem(method, code, 'unsure', { cause: error });
}

function count({ trouble }: SlackProblem, counts: Counts) {
  if (trouble === 'credentials') counts.unauthorised += 1;
  else if (trouble === 'permission') counts.forbidden += 1;
  else if (trouble === 'wait') counts.rateLimited += 1;
  else if (trouble === 'unsure') counts.unreachable += 1;
}

const mostAttempts = 6;

/** When a failed write is worth another try, and how long to wait for it. */
export function retryAfterMs(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof SlackProblem) || attempt > mostAttempts) return undefined;
  if (error.trouble === 'wait') return error.waitMs ?? 1000;
  return error.trouble === 'unsure' ? Math.min(10_000, 250 * 2 ** attempt) : undefined;
}
