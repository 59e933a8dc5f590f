// What was said, kept: so that a reload or a restart shows the same conversation and edits the same messages.

export interface StoredMessage {
  readonly id: number;
  readonly personId: string | undefined;
  readonly slot: string | undefined;
  readonly externalId: string | undefined;
  readonly visibleTo: string | undefined;
  readonly content: unknown;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ConversationKey {
  readonly workspaceId: string;
  readonly front: string;
  readonly conversationId: string;
}

export interface Conversations {
  /** Takes an event in by its idempotency key. @returns false when it had been taken in before: do nothing then. */
  claim(workspaceId: string, key: string): Promise<boolean>;
  /** Adds a message; with a slot that exists already, replaces that message's content instead. */
  say(
    key: ConversationKey,
    message: { personId?: string; slot?: string; visibleTo?: string; content: unknown },
  ): Promise<StoredMessage>;
  /** Keeps the platform's id of a posted message. */
  setExternalId(key: ConversationKey, messageId: number, externalId: string): Promise<void>;
  /** The last `limit` messages this person may see, oldest first. */
  history(key: ConversationKey, personId: string, limit: number): Promise<readonly StoredMessage[]>;
  /** Makes sure the workspace exists before anything is written in it. */
  openWorkspace(workspaceId: string, name: string): Promise<void>;
}
