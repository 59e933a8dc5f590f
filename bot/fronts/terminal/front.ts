// The conversation in a terminal: lines in, text out. For the person at this machine, so a typed path is an attachment.
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Conversations } from '../../../engine/index.ts';
import type { Attachment, Incoming, Person, Place, Reply } from '../../chat/message.ts';
import { splitWords } from '../../chat/words.ts';
import type { Front, Handle } from '../front.ts';
import { askForm, localFile } from './form.ts';
import { createPaint } from './paint.ts';
import { type Pressable, renderReply } from './render.ts';
import { createScreen, type TerminalOutput } from './screen.ts';

export interface TerminalOptions {
  readonly input: Readable;
  readonly output: TerminalOutput;
  readonly person: Person;
  readonly place: Place;
  /** What was said is kept here, so that a follow-up is understood after a restart. */
  readonly conversations: Pick<Conversations, 'openWorkspace' | 'say'>;
  readonly colours: boolean;
  readonly picturePath: (pictureId: string) => string;
  readonly sectionUrl: (chapterId: string, sectionId: string) => string | undefined;
  readonly now: () => Date;
  /** Idempotency keys, unique across restarts. */
  readonly newKey: () => string;
  /** The person closed the terminal (Ctrl-D, Ctrl-C, end of the input) and everything said has been answered. */
  readonly onClose: () => void;
}

/** Messages whose labels can still be typed. */
const labelReach = 10;

interface Shown {
  readonly signature: string;
  readonly firstNumber: number;
  pressables: readonly Pressable[];
}

export function createTerminalFront(options: TerminalOptions): Front {
  const { input, output, place, person } = options;
  const paint = createPaint(options.colours);
  let readline: Interface | undefined;
  const screen = createScreen(output, () => readline);
  const numbered = new Map<number, Pressable>();
  const slots = new Map<string, Shown>();
  const recent: Shown[] = [];
  let nextNumber = 1;
  /** Lines typed and not yet taken. */
  const typedLines: string[] = [];
  let waiting: ((line: string | undefined) => void) | undefined;
  let work: Promise<void> = Promise.resolve();
  let deliveries: Promise<void> = Promise.resolve();
  let closed = false;

  function show(reply: Reply) {
    const before = reply.slot === undefined ? undefined : slots.get(reply.slot);
    const firstNumber = before?.firstNumber ?? nextNumber;
    const draw = (from: number) =>
      renderReply(reply, { ...options, sayable: true, width: screen.width(), paint, firstNumber: from });
    let rendered = draw(firstNumber);
    // A message that grew more buttons than it had numbers for takes fresh ones: a number never changes its meaning.
    const grown = before !== undefined && rendered.pressables.length > before.pressables.length;
    if (grown && firstNumber + before.pressables.length !== nextNumber) rendered = draw(nextNumber);
    const from = grown && firstNumber + before.pressables.length !== nextNumber ? nextNumber : firstNumber;

    const shown: Shown = { signature: signatureOf(reply), firstNumber: from, pressables: rendered.pressables };
    for (let n = 0; n < (before?.pressables.length ?? 0); n++) numbered.delete((before?.firstNumber ?? 0) + n);
    rendered.pressables.forEach((pressable, index) => {
      numbered.set(from + index, pressable);
    });
    nextNumber = Math.max(nextNumber, from + rendered.pressables.length);
    if (before !== undefined && recent.includes(before)) recent.splice(recent.indexOf(before), 1);
    recent.push(shown);
    if (recent.length > labelReach) recent.shift();
    if (reply.slot === undefined) {
      screen.print(rendered.text);
      return;
    }
    slots.set(reply.slot, shown);
    if (before !== undefined && screen.redraw(rendered.text, reply.slot)) return;
    if (before === undefined || before.signature !== shown.signature) screen.print(rendered.text, reply.slot);
  }

  function find(typed: string): Pressable | undefined {
    const byNumber = /^\[?(\d+)\]?$/.exec(typed)?.[1];
    if (byNumber !== undefined) return numbered.get(Number(byNumber));
    return recent
      .toReversed()
      .flatMap((shown) => shown.pressables)
      .find((pressable) => pressable.label.toLowerCase() === typed.toLowerCase());
  }

  async function say(text: string, handle: Handle) {
    await options.conversations.say(place, { personId: person.id, content: { text } });
    await handle({ ...arrived(), kind: 'message', text, attachments: await attachmentsIn(text) });
  }

  async function keep(target: Place, reply: Reply) {
    const { slot, audience } = reply;
    await options.conversations.say(target, {
      content: reply,
      ...(slot === undefined ? {} : { slot }),
      ...(audience === 'asker' ? { visibleTo: person.id } : {}),
    });
  }

  async function press(pressable: Pressable, handle: Handle) {
    if (pressable.kind === 'call') {
      await handle({ ...arrived(), kind: 'action', call: pressable.call });
      return;
    }
    screen.print(paint.dim('Enter takes the value in brackets; /cancel gives up.'));
    const values = await askForm(pressable.fields, ask, (line) => screen.print(line));
    if (values === undefined) screen.print('Left as it was; nothing was sent.');
    else await handle({ ...arrived(), kind: 'form', call: pressable.call, values });
  }

  function ask(question: string): Promise<string | undefined> {
    if (typedLines.length > 0 || closed) {
      output.write(`${question}\n`);
      return Promise.resolve(typedLines.shift());
    }
    return new Promise((resolve) => {
      readline?.setPrompt(question);
      readline?.prompt();
      waiting = (line) => {
        readline?.setPrompt(paint.bold('› '));
        resolve(line);
      };
    });
  }

  function arrived(): Pick<Incoming, 'key' | 'place' | 'person' | 'receivedAt'> {
    return { key: options.newKey(), place, person, receivedAt: options.now() };
  }

  async function takeLine(line: string, handle: Handle) {
    const typed = line.trim();
    if (typed === '') return;
    const pressed = find(typed);
    await (pressed === undefined ? say(line, handle) : press(pressed, handle));
    if (output.isTTY && !closed) readline?.prompt();
  }

  function answerWaiting(line: string | undefined) {
    const answer = waiting;
    waiting = undefined;
    answer?.(line);
  }

  /** Lines are taken one by one; while a form waits for its next field, the next line is its. */
  function take(line: string, handle: Handle) {
    screen.typed();
    if (waiting !== undefined) {
      answerWaiting(line);
      return;
    }
    typedLines.push(line);
    work = work.then(async () => {
      const next = typedLines.shift();
      if (next !== undefined) await takeLine(next, handle);
    });
  }

  return {
    name: 'terminal',
    async start(handle) {
      await options.conversations.openWorkspace(place.workspaceId, place.workspaceId);
      const lines = createInterface({ input, output, terminal: output.isTTY === true, prompt: paint.bold('› ') });
      readline = lines;
      lines.on('line', (line) => take(line, handle));
      lines.on('SIGINT', () => (waiting === undefined ? lines.close() : answerWaiting(undefined)));
      lines.on('close', () => {
        closed = true;
        answerWaiting(undefined);
        work = work.then(options.onClose);
      });
      // The line below stands above the prompt.
      if (output.isTTY) setImmediate(() => !closed && lines.prompt());
      return 'Type a question, or help. Ctrl-D leaves.';
    },
    deliver(target, reply) {
      const delivery = deliveries.then(async () => {
        await keep(target, reply);
        show(reply);
      });
      deliveries = delivery.catch(() => undefined);
      return delivery;
    },
    async stop() {
      readline?.close();
      await work;
    },
  };
}

/** What has to change for a message that can't be redrawn to be worth printing again: a tenth of progress, not each step. */
function signatureOf(reply: Reply): string {
  return JSON.stringify(
    reply.blocks.map((block) => {
      if (block.kind === 'progress') return [block.label, Math.floor(block.fraction * 10)];
      return block.kind === 'picture' ? block.kind : block;
    }),
  );
}

const takesFiles: ReadonlySet<string> = new Set(['finetune', 'learn', 'try']);

/** `finetune ./my.csv`: the files named in a line of finetune, learn or try. Other commands take none, so nothing is read by accident. */
async function attachmentsIn(text: string): Promise<readonly Attachment[]> {
  const [command = '', ...words] = splitWords(text.trim());
  if (!takesFiles.has(command.replace('/', '').replaceAll('-', '').toLowerCase())) return [];
  const files = await Promise.all(words.map(localFile));
  return files.filter((file) => file !== undefined);
}
