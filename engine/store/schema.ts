// Every table. Each row belongs to a workspace; no query crosses one. After a change here: npm run db:generate.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  customType,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  serial,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { DatasetReport } from '../data/report.ts';
import type { Metrics, RunEvent } from '../runs/events.ts';
import type { RunSpec } from '../runs/spec.ts';

const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const workspaceId = () =>
  text('workspace_id')
    .notNull()
    .references(() => workspaces.id);

export const workspaces = pgTable('workspaces', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
});

/**
 * Events taken in, by idempotency key: the row is the lock. One that was kept before it was acknowledged carries what is
 * needed to work on it after a restart, and who works on it now.
 */
export const deliveries = pgTable(
  'deliveries',
  {
    workspaceId: workspaceId(),
    key: text('key').notNull(),
    receivedAt: at('received_at').notNull().defaultNow(),
    front: text('front'),
    /** As the platform sent it; gone once it is done, since it holds people's words. */
    payload: jsonb('payload').$type<{ readonly is?: unknown }>(),
    /** When a command began to answer it. */
    startedAt: at('started_at'),
    doneAt: at('done_at'),
    /** The process that works on it, which renews this while it lives. */
    heldBy: text('held_by'),
    heldUntil: at('held_until'),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.key] }),
    index('deliveries_open').on(table.front, table.heldUntil).where(sql`payload is not null`),
  ],
);

/** What was said, by people and by us. A reply with a slot is edited in place; `externalId` is the platform's message id. */
export const messages = pgTable(
  'messages',
  {
    id: serial('id').primaryKey(),
    workspaceId: workspaceId(),
    front: text('front').notNull(),
    conversationId: text('conversation_id').notNull(),
    /** Null: said by us. */
    personId: text('person_id'),
    slot: text('slot'),
    externalId: text('external_id'),
    /** Set when only this person may see it. */
    visibleTo: text('visible_to'),
    /** A Reply of the bot, or `{ text }` for a person's words. */
    content: jsonb('content').notNull(),
    createdAt: at('created_at').notNull().defaultNow(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (table) => [
    index('messages_by_conversation').on(table.workspaceId, table.front, table.conversationId, table.id),
    uniqueIndex('messages_by_slot').on(table.workspaceId, table.front, table.conversationId, table.slot),
  ],
);

/** Small things kept by name, such as a call too long for a button; secrets among them are sealed before they come here. */
export const keptValues = pgTable(
  'kept_values',
  {
    workspaceId: workspaceId(),
    kind: text('kind').notNull(),
    name: text('name').notNull(),
    /** Wrapped, since a bare string would come back parsed once too often: `'1.50'` as a number. */
    value: jsonb('value').$type<{ readonly is?: unknown }>().notNull(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.kind, table.name] })],
);

/** Questions asked and how they were answered: coverage gaps are found here. */
export const questions = pgTable('questions', {
  id: serial('id').primaryKey(),
  workspaceId: workspaceId(),
  personId: text('person_id').notNull(),
  conversationId: text('conversation_id').notNull(),
  question: text('question').notNull(),
  abstained: boolean('abstained').notNull(),
  confidence: doublePrecision('confidence').notNull(),
  passages: jsonb('passages').$type<readonly string[]>().notNull(),
  askedAt: at('asked_at').notNull().defaultNow(),
});

/** What people thought of an answer: one verdict a person and answer. */
export const feedback = pgTable(
  'feedback',
  {
    workspaceId: workspaceId(),
    questionId: integer('question_id')
      .notNull()
      .references(() => questions.id),
    personId: text('person_id').notNull(),
    helpful: boolean('helpful').notNull(),
    reason: text('reason'),
    givenAt: at('given_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.questionId, table.personId] })],
);

export const quizSessions = pgTable('quiz_sessions', {
  id: text('id').primaryKey(),
  workspaceId: workspaceId(),
  personId: text('person_id').notNull(),
  conversationId: text('conversation_id').notNull(),
  /** Null: a review, of what is due in any chapter. */
  chapterId: text('chapter_id'),
  /** In the order asked, with the shuffled order of each item's choices. */
  items: jsonb('items')
    .$type<readonly { readonly itemId: string; readonly choiceIds: readonly string[] }[]>()
    .notNull(),
  startedAt: at('started_at').notNull().defaultNow(),
  finishedAt: at('finished_at'),
});

/** The first answer to each item of a session; the primary key is what scores it once. */
export const quizAttempts = pgTable(
  'quiz_attempts',
  {
    workspaceId: workspaceId(),
    sessionId: text('session_id')
      .notNull()
      .references(() => quizSessions.id),
    itemId: text('item_id').notNull(),
    personId: text('person_id').notNull(),
    choiceId: text('choice_id').notNull(),
    correct: boolean('correct').notNull(),
    answeredAt: at('answered_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.sessionId, table.itemId] }),
    index('quiz_attempts_by_person').on(table.workspaceId, table.personId),
  ],
);

/** A question in one person's memory, worked out from all answers they gave to it: when it comes back, how well it sits. */
export const reviewCards = pgTable(
  'review_cards',
  {
    workspaceId: workspaceId(),
    personId: text('person_id').notNull(),
    itemId: text('item_id').notNull(),
    stability: doublePrecision('stability').notNull(),
    difficulty: doublePrecision('difficulty').notNull(),
    intervalDays: integer('interval_days').notNull(),
    reps: integer('reps').notNull(),
    lapses: integer('lapses').notNull(),
    /** Whether the last answer was right. */
    correct: boolean('correct').notNull(),
    answeredAt: at('answered_at').notNull(),
    dueAt: at('due_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.personId, table.itemId] }),
    index('review_cards_by_due').on(table.workspaceId, table.dueAt),
  ],
);

/** What a person says they have read of the guide, or built on the roadmap; the primary key is what counts it once. */
export const studyMarks = pgTable(
  'study_marks',
  {
    workspaceId: workspaceId(),
    personId: text('person_id').notNull(),
    kind: text('kind', { enum: ['read', 'built'] }).notNull(),
    /** `chapter#section` of what was read; the id of a phase of what was built. */
    key: text('key').notNull(),
    markedAt: at('marked_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.personId, table.kind, table.key] })],
);

/** A quiz that several people answer at the same time, round by round against the clock. */
export const battles = pgTable(
  'battles',
  {
    id: text('id').primaryKey(),
    workspaceId: workspaceId(),
    /** Where it is held. */
    front: text('front').notNull(),
    conversationId: text('conversation_id').notNull(),
    startedBy: text('started_by').notNull(),
    title: text('title').notNull(),
    /** In the order asked, with the shuffled order of each item's choices. */
    items: jsonb('items')
      .$type<readonly { readonly itemId: string; readonly choiceIds: readonly string[] }[]>()
      .notNull(),
    roundSeconds: integer('round_seconds').notNull(),
    /** From 1; one past the last item once all rounds are closed. */
    round: integer('round').notNull(),
    roundEndsAt: at('round_ends_at').notNull(),
    startedAt: at('started_at').notNull().defaultNow(),
    /** When the final ranking stood in its place. */
    finishedAt: at('finished_at'),
  },
  (table) => [index('battles_by_workspace').on(table.workspaceId, table.finishedAt)],
);

/** The first answer of each person to each question of a battle; the primary key is what scores it once. */
export const battleAnswers = pgTable(
  'battle_answers',
  {
    workspaceId: workspaceId(),
    battleId: text('battle_id')
      .notNull()
      .references(() => battles.id),
    itemId: text('item_id').notNull(),
    personId: text('person_id').notNull(),
    personName: text('person_name').notNull(),
    choiceId: text('choice_id').notNull(),
    correct: boolean('correct').notNull(),
    /** Who was first is told by this, not by clocks. */
    number: serial('number').notNull(),
    answeredAt: at('answered_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.battleId, table.itemId, table.personId] }),
    index('battle_answers_by_person').on(table.workspaceId, table.personId),
  ],
);

/** A checked dataset; `id` is the SHA-256 of its bytes and the file lies under the data folder by that name. */
export const datasets = pgTable(
  'datasets',
  {
    workspaceId: workspaceId(),
    id: text('id').notNull(),
    name: text('name').notNull(),
    path: text('path').notNull(),
    bytes: bigint('bytes', { mode: 'number' }).notNull(),
    rows: integer('rows').notNull(),
    textColumn: text('text_column').notNull(),
    labelColumn: text('label_column').notNull(),
    labels: jsonb('labels').$type<readonly { readonly label: string; readonly count: number }[]>().notNull(),
    /** What was found in it; the same bytes are never read again for that. Null where it was kept before this was. */
    report: jsonb('report').$type<DatasetReport>(),
    addedBy: text('added_by').notNull(),
    addedAt: at('added_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.id] })],
);

/** A group's own document. What it says lies in `document_passages`; the file itself is not kept. */
export const documents = pgTable(
  'documents',
  {
    workspaceId: workspaceId(),
    id: text('id').notNull(),
    /** Short name people type, unique among what is seen in one place. */
    name: text('name').notNull(),
    title: text('title').notNull(),
    /** The one channel in which it is seen; null: the whole workspace. */
    channelId: text('channel_id'),
    format: text('format').notNull(),
    /** Where it is fetched from again; null: it was a file. */
    url: text('url'),
    /** SHA-256 of its bytes, hex. */
    contentHash: text('content_hash').notNull(),
    bytes: integer('bytes').notNull(),
    pages: integer('pages'),
    passages: integer('passages').notNull(),
    /** The version of the search that prepared its passages. */
    preparedBy: text('prepared_by').notNull(),
    addedBy: text('added_by').notNull(),
    addedAt: at('added_at').notNull(),
    refreshedAt: at('refreshed_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.id] }),
    uniqueIndex('documents_by_name').on(table.workspaceId, sql`coalesce(${table.channelId}, '')`, table.name),
  ],
);

const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });

export const documentPassages = pgTable(
  'document_passages',
  {
    workspaceId: workspaceId(),
    documentId: text('document_id').notNull(),
    /** In reading order, from 0. */
    number: integer('number').notNull(),
    headings: jsonb('headings').$type<readonly string[]>().notNull(),
    page: integer('page'),
    text: text('text').notNull(),
    /** As the search indexes it: its terms joined by spaces, and its vector, float32 little-endian. */
    terms: text('terms').notNull(),
    vector: bytes('vector').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.documentId, table.number] }),
    foreignKey({
      name: 'document_passages_document_fk',
      columns: [table.workspaceId, table.documentId],
      foreignColumns: [documents.workspaceId, documents.id],
    }).onDelete('cascade'),
  ],
);

export const run_statuses = ['queued', 'running', 'stopping', 'stopped', 'interrupted', 'failed', 'done'] as const;
export type RunStatus = (typeof run_statuses)[number];

export const runs = pgTable(
  'runs',
  {
    id: text('id').primaryKey(),
    workspaceId: workspaceId(),
    /** Short name people type, unique in the workspace: `run-7`. */
    name: text('name').notNull(),
    datasetName: text('dataset_name').notNull(),
    spec: jsonb('spec').$type<RunSpec>().notNull(),
    status: text('status', { enum: run_statuses }).notNull(),
    /** The last start, step and eval event, so that a card needs one row only. */
    start: jsonb('start').$type<Extract<RunEvent, { type: 'start' }>>(),
    progress: jsonb('progress').$type<Extract<RunEvent, { type: 'step' }>>(),
    metrics: jsonb('metrics').$type<Metrics>(),
    result: jsonb('result').$type<Extract<RunEvent, { type: 'done' }>>(),
    error: text('error'),
    hint: text('hint'),
    /** Times the trainer has been started; a crash is retried a few times from its last checkpoint. */
    attempts: integer('attempts').notNull().default(0),
    /** Times its worker was lost since a person last started it; past a few, it waits for a person. */
    interruptions: integer('interruptions').notNull().default(0),
    /** Who trains it: set when a worker takes it, and every write of that worker asks whether it still is the one. */
    claim: text('claim'),
    /** Where its card lives. */
    front: text('front').notNull(),
    conversationId: text('conversation_id').notNull(),
    startedBy: text('started_by').notNull(),
    createdAt: at('created_at').notNull().defaultNow(),
    updatedAt: at('updated_at').notNull().defaultNow(),
    finishedAt: at('finished_at'),
    /** A worker renews this while it trains; a stale one means the worker is gone. */
    heartbeatAt: at('heartbeat_at'),
  },
  (table) => [uniqueIndex('runs_by_name').on(table.workspaceId, table.name)],
);

export const runEvents = pgTable(
  'run_events',
  {
    workspaceId: workspaceId(),
    runId: text('run_id')
      .notNull()
      .references(() => runs.id),
    seq: integer('seq').notNull(),
    event: jsonb('event').$type<RunEvent>().notNull(),
    at: at('at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.seq] })],
);
