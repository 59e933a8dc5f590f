// The scopes the app asks for and the events it subscribes to, and what each is for: least, and each explained. manifest.yaml
// and docs/slack.md are checked against it.

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

export const events = {
  app_home_opened: 'to draw App Home, and to offer prompts in its own view',
  app_mention: 'a mention in a channel',
  app_uninstalled: 'to forget the token of a workspace that removed the app',
  function_executed: 'the steps of Workflow Builder',
  'message.channels': 'follow-ups in threads of public channels',
  'message.groups': 'follow-ups in threads of private channels',
  'message.im': 'what is written to it directly',
  'message.mpim': 'follow-ups in group messages',
  tokens_revoked: 'to forget a token that was revoked',
} as const;

/** Scopes a method can't do without, of those we call. */
export const scopeOfMethod: { readonly [method: string]: Scope } = {
  'assistant.threads.setStatus': 'chat:write',
  'assistant.threads.setSuggestedPrompts': 'assistant:write',
  'assistant.threads.setTitle': 'assistant:write',
  'chat.appendStream': 'chat:write',
  'chat.delete': 'chat:write',
  'chat.postEphemeral': 'chat:write',
  'chat.postMessage': 'chat:write',
  'chat.startStream': 'chat:write',
  'chat.stopStream': 'chat:write',
  'chat.update': 'chat:write',
  'conversations.open': 'im:write',
  'files.completeUploadExternal': 'files:write',
  'files.delete': 'files:write',
  'files.getUploadURLExternal': 'files:write',
};

export type Scope = keyof typeof scopes;
export const scopeNames = Object.keys(scopes).filter((name): name is Scope => name in scopes);

/** Scopes the token has not; each with what will not work. */
export function missingScopes(
  granted: readonly string[],
): readonly { readonly scope: Scope; readonly purpose: string }[] {
  return scopeNames.filter((scope) => !granted.includes(scope)).map((scope) => ({ scope, purpose: scopes[scope] }));
}
