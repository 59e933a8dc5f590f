// The scopes the app asks for, and what each is for: least, and each explained. manifest.yaml and docs/slack.md are checked against it.

export const scopes = {
  'app_mentions:read': 'to be told when somebody mentions it',
  'assistant:write': 'to show “is thinking…”, suggested prompts and titles in its own view',
  'channels:history': 'to follow up in threads of public channels without a new mention',
  'chat:write': 'to answer',
  commands: 'for /finetutor and the shortcuts',
  'files:read': 'to take in datasets people upload',
  'files:write': 'to show charts and hand over trained models',
  'groups:history': 'to follow up in threads of private channels it was invited to',
  'im:history': 'to read what is written to it directly',
  'im:write': 'to open a direct message, for shortcuts and private notices',
  'mpim:history': 'to follow up in group messages it was added to',
} as const;

export type Scope = keyof typeof scopes;
export const scopeNames = Object.keys(scopes).filter((name): name is Scope => name in scopes);

/** Scopes the token has not; each with what will not work. */
export function missingScopes(
  granted: readonly string[],
): readonly { readonly scope: Scope; readonly purpose: string }[] {
  return scopeNames.filter((scope) => !granted.includes(scope)).map((scope) => ({ scope, purpose: scopes[scope] }));
}
