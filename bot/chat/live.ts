// Run cards that keep themselves up to date: every change of a run edits its one message, at most every two seconds, and
// the last state always arrives. Where the card lives is in the run's row, so it goes on after a restart.
import type { Logger } from 'pino';
import type { Runs } from '../../engine/index.ts';
import { listArtifact } from './artifact.ts';
import { isFront, type Person, type Place, type Reply } from './message.ts';
import { type CardParts, cardSlot, runCard } from './run-card.ts';

type Run = Awaited<ReturnType<Runs['get']>>;

export interface LiveOptions {
  readonly runs: Pick<Runs, 'watch' | 'get' | 'list' | 'lossPicture' | 'confusionPicture' | 'advice' | 'exported'>;
  readonly deliver: (place: Place, reply: Reply, asker: Person) => Promise<void>;
  /** When the card with this slot was last put in its place, as it is kept; undefined when it never was. */
  readonly shownAt: (place: Place, slot: string, personId: string) => Promise<Date | undefined>;
  readonly log: Pick<Logger, 'error'>;
  readonly now: () => Date;
  /** Calls back once after a delay. @returns what takes it back. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
}

export interface LiveCards {
  /** Follows all runs, and shows again those that the last process may have left half told. */
  start(workspaceIds: readonly string[]): Promise<void>;
  /** Shows the run's card in its place; resolves once it stands there. */
  show(run: Run): Promise<void>;
  /** Delivers what is waiting and ends. */
  stop(): Promise<void>;
}

const betweenEditsMs = 2000;
/** Drawing a chart costs more than an edit; while a run goes on it is drawn this often, and as soon as it is half as long again. */
const betweenChartsMs = 6000;
const worthDrawing = 1.5;
/** Runs looked at on the start, the newest ones. */
const lookedBack = 50;

interface Card {
  /** The newest row that has not been shown. */
  next: Run | undefined;
  /** Rows seen through `watch`, to tell whether a row read meanwhile is old news. */
  seen: number;
  shownAtMs: number;
  cancelTimer: (() => void) | undefined;
  showing: Promise<void> | undefined;
  waiting: (() => void)[];
  loss: { readonly picture: CardParts['loss']; readonly drawnAtMs: number; readonly step: number } | undefined;
}

export function createLiveCards(options: LiveOptions): LiveCards {
  const { runs, log } = options;
  const cards = new Map<string, Card>();
  const nowMs = () => options.now().getTime();
  let unwatch: (() => void) | undefined;

  function cardOf(runId: string): Card {
    const known = cards.get(runId);
    if (known !== undefined) return known;
    const card: Card = {
      next: undefined,
      seen: 0,
      shownAtMs: Number.NEGATIVE_INFINITY,
      cancelTimer: undefined,
      showing: undefined,
      waiting: [],
      loss: undefined,
    };
    cards.set(runId, card);
    return card;
  }

  function push(run: Run) {
    const card = cardOf(run.id);
    card.next = run;
    schedule(card);
  }

  function schedule(card: Card) {
    if (card.next === undefined || card.cancelTimer !== undefined || card.showing !== undefined) return;
    const waitMs = card.shownAtMs + betweenEditsMs - nowMs();
    if (waitMs <= 0) flush(card);
    else {
      card.cancelTimer = options.after(waitMs, () => {
        card.cancelTimer = undefined;
        flush(card);
      });
    }
  }

  function flush(card: Card) {
    const run = card.next;
    if (run === undefined) return;
    const waiting = card.waiting.splice(0);
    card.next = undefined;
    card.shownAtMs = nowMs();
    card.showing = deliverCard(run, card)
      .catch((error: unknown) => log.error({ err: error, run: run.name }, 'a run card could not be shown'))
      .then(() => {
        card.showing = undefined;
        for (const resolve of waiting) resolve();
        schedule(card);
      });
  }

  async function deliverCard(run: Run, card: Card) {
    if (isChartDue(run, card)) {
      const picture = run.progress && (await runs.lossPicture(run.workspaceId, run.id));
      card.loss = picture && { picture, drawnAtMs: nowMs(), step: run.progress?.step ?? 0 };
    }
    const reply = runCard(run, { ...(await finishedParts(runs, run)), loss: card.loss?.picture });
    await options.deliver(placeOf(run), reply, { id: run.startedBy, name: run.startedBy });
  }

  function isChartDue({ status, progress }: Run, { loss }: Card): boolean {
    const going = status === 'running' || status === 'queued';
    if (!going || loss === undefined || nowMs() - loss.drawnAtMs >= betweenChartsMs) return true;
    return progress !== undefined && progress.step >= worthDrawing * loss.step;
  }

  /** Whether the last process may have ended between a change of this run and its card. */
  async function isHalfTold(run: Run): Promise<boolean> {
    if (run.finishedAt === undefined) return true;
    const shownAt = await options.shownAt(placeOf(run), cardSlot(run.id), run.startedBy);
    return shownAt === undefined || shownAt < run.finishedAt;
  }

  return {
    async start(workspaceIds) {
      unwatch = runs.watch((run) => {
        cardOf(run.id).seen += 1;
        push(run);
      });
      for (const workspaceId of workspaceIds) {
        for (const run of (await runs.list(workspaceId, lookedBack)).toReversed()) {
          if (await isHalfTold(run)) push(run);
        }
      }
    },
    async show(run) {
      const card = cardOf(run.id);
      const seenBefore = card.seen;
      const fresh = await runs.get(run.workspaceId, run.id);
      // A change heard meanwhile is newer than what was read, and is on its way to the card already.
      if (card.seen === seenBefore) push(fresh);
      if (card.next === undefined) await card.showing;
      else await new Promise<void>((resolve) => card.waiting.push(resolve));
    },
    async stop() {
      unwatch?.();
      for (const card of cards.values()) {
        card.cancelTimer?.();
        card.cancelTimer = undefined;
        await card.showing;
        if (card.next !== undefined) flush(card);
        await card.showing;
      }
    },
  };
}

/** The parts of a card that only a finished run has. */
export async function finishedParts(
  runs: Pick<Runs, 'confusionPicture' | 'advice' | 'exported'>,
  run: Run,
): Promise<Omit<CardParts, 'loss'>> {
  const advice = await runs.advice(run.workspaceId, run.id);
  if (run.result === undefined) return { confusion: undefined, files: [], advice };
  return {
    confusion: await runs.confusionPicture(run.workspaceId, run.id),
    files: await listArtifact(run.result.artifact),
    advice,
    exported: await runs.exported(run.workspaceId, run.id),
  };
}

function placeOf({ front, workspaceId, conversationId, name }: Run): Place {
  if (!isFront(front)) throw new Error(`${name} was started from a front that is not known: ${front}`);
  return { front, workspaceId, conversationId };
}
