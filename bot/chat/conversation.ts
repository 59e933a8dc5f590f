// The conversation itself: takes what came in once, finds the command, delivers its replies in order, and is the one
// place where errors become words.
import type { Logger } from 'pino';
import { type Engine, type Run, UserError } from '../../engine/index.ts';
import type { Command, CommandContext } from './command.ts';
import { plain } from './escape.ts';
import type { Attachment, Call, FieldValue, Incoming, Json, Person, Place, Reply } from './message.ts';
import type { Meter } from './meter.ts';
import { apology, aside, button, buttons, text } from './reply.ts';
import { type Route, routeText } from './router.ts';
import { recallTurns } from './thread.ts';

/** Longest message taken in, in characters: beyond it nothing sensible is a question. */
const longestMessage = 20_000;

export interface ConversationOptions {
  readonly engine: Engine;
  readonly commands: readonly Command[];
  /** Shows a reply in the place's front. Keeps the order of one place. */
  readonly deliver: (place: Place, reply: Reply, asker: Person) => Promise<void>;
  readonly log: Pick<Logger, 'error' | 'debug'>;
  readonly now: () => Date;
  /** A short id that a person can read out and that is found again in the log. */
  readonly newErrorId: () => string;
  readonly pageUrl: () => string | undefined;
  readonly showRun: (run: Run) => Promise<void>;
  readonly battles: CommandContext['battles'];
  readonly meter?: Pick<Meter, 'event'>;
}

/** @returns the handler every front passes events to; it never rejects. Events of one place are answered one after the other. */
export function createConversation(options: ConversationOptions): (incoming: Incoming) => Promise<void> {
  const { engine, commands, deliver, log } = options;
  const opened = new Map<string, Promise<void>>();
  const queues = new Map<string, Promise<void>>();

  async function open(workspaceId: string) {
    let opening = opened.get(workspaceId);
    if (opening === undefined) {
      opening = engine.conversations.openWorkspace(workspaceId, workspaceId);
      opened.set(workspaceId, opening);
      opening.catch(() => opened.delete(workspaceId));
    }
    await opening;
  }

  async function answer(incoming: Incoming) {
    const { place, person } = incoming;
    try {
      await open(place.workspaceId);
      if (!(await engine.conversations.claim(place.workspaceId, incoming.key))) {
        options.meter?.event(place.front, 'duplicate');
        log.debug({ key: incoming.key }, 'a redelivered event, answered before');
        return;
      }
      options.meter?.event(place.front, 'new');
      for await (const reply of respond(incoming)) await deliver(place, reply, person);
    } catch (error) {
      await deliver(place, explain(error, place), person);
    }
  }

  function explain(error: unknown, place: Place): Reply {
    if (error instanceof UserError) return apology(error);
    const errorId = options.newErrorId();
    log.error({ err: error, errorId, place }, 'a command failed');
    return aside(
      text(`**Something broke on our side.** It is in the log as \`${errorId}\`; nothing you did was wrong.`),
      text('Trying again may work. If it does not, tell whoever runs this bot that id.'),
    );
  }

  async function* respond(incoming: Incoming): AsyncIterable<Reply> {
    checkSize(incoming);
    const route: Route =
      incoming.kind === 'message' ? routeText(incoming.text, commands) : { kind: 'call', call: merge(incoming) };
    if (route.kind === 'unknown') {
      yield askBack(route);
      return;
    }
    const command = commands.find((candidate) => candidate.name === route.call.command);
    if (command === undefined) {
      throw new UserError(`There is no command ${route.call.command}.`, 'Say help to see what there is.');
    }
    yield* command.execute(route.call.args, contextFor(incoming));
  }

  function contextFor(incoming: Incoming): CommandContext {
    const { place, person } = incoming;
    const current = incoming.kind === 'message' ? incoming.text : '';
    return {
      engine,
      place,
      person,
      attachments: attachmentsOf(incoming),
      incoming,
      pageUrl: options.pageUrl(),
      now: options.now,
      commands,
      turns: () => recallTurns(engine.conversations, place, person, current),
      post: (target, reply) => deliver(target, reply, person),
      showRun: options.showRun,
      battles: options.battles,
    };
  }

  return async (incoming) => {
    const { front, workspaceId, conversationId } = incoming.place;
    const queueKey = JSON.stringify([front, workspaceId, conversationId]);
    const before = queues.get(queueKey) ?? Promise.resolve();
    const mine = before
      .then(() => answer(incoming))
      .catch((error: unknown) => {
        log.error({ err: error, place: incoming.place }, 'a reply could not be delivered');
      });
    queues.set(queueKey, mine);
    await mine;
    if (queues.get(queueKey) === mine) queues.delete(queueKey);
  };
}

function checkSize(incoming: Incoming) {
  const written =
    incoming.kind === 'message'
      ? [incoming.text]
      : incoming.kind === 'form'
        ? Object.values(incoming.values).flatMap((value) => (isFile(value) ? [] : value))
        : [];
  const longest = Math.max(0, ...written.map((words) => words.length));
  if (longest > longestMessage) {
    throw new UserError(
      `That is ${longest.toLocaleString('en')} characters; a message may have ${longestMessage.toLocaleString('en')}.`,
      'Send the part your question is about. Data to train on goes in a file: finetune, then upload it.',
    );
  }
}

/** A form's words over the arguments its call carries. Files stay out: they reach a command only as attachments. */
function merge(incoming: Exclude<Incoming, { kind: 'message' }>): Call {
  if (incoming.kind === 'action') return incoming.call;
  const args: { [name: string]: Json } = { ...incoming.call.args };
  for (const [id, value] of Object.entries(incoming.values)) if (!isFile(value)) args[id] = value;
  return { command: incoming.call.command, args };
}

function attachmentsOf(incoming: Incoming): readonly Attachment[] {
  if (incoming.kind === 'message') return incoming.attachments;
  if (incoming.kind === 'action') return [];
  return Object.values(incoming.values).filter(isFile);
}

const isFile = (value: FieldValue | Attachment): value is Attachment => typeof value === 'object' && 'path' in value;

function askBack(route: Extract<Route, { kind: 'unknown' }>): Reply {
  const suggested = route.suggestions.map((call) => button(call.command, call, 'primary'));
  const names = route.suggestions.map((call) => `\`${call.command}\``).join(' or ');
  const question =
    suggested.length > 0 ? `There is no command “${plain(route.word, 40)}”. Did you mean ${names}?` : undefined;
  return aside(
    text(question ?? `There is no command “${plain(route.word, 40)}”. Say \`help\` to see what there is.`),
    buttons(
      ...suggested,
      ...(suggested.length > 0 ? [] : [button('Help', { command: 'help', args: {} }, 'primary')]),
      button('Ask it as a question', { command: 'ask', args: { question: route.text.replace(/^\//, '') } }),
    ),
  );
}
