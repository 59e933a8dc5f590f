// Moves quiz battles on: shows the open question, closes it when its time is over, and goes on after a restart.
import type { Logger } from 'pino';
import type { Battle, Battles } from '../../engine/index.ts';
import { closedQuestion, finalRanking, openQuestion } from './battle-card.ts';
import { type FrontName, isFront, type Person, type Place, type Reply } from './message.ts';

export interface BattleHostOptions {
  readonly battles: Battles;
  readonly deliver: (place: Place, reply: Reply, asker: Person) => Promise<void>;
  /** Whether this process can show something there: another one moves on the battles of the others. */
  readonly runs: (front: FrontName) => boolean;
  readonly log: Pick<Logger, 'error'>;
  readonly now: () => Date;
  /** Calls back once after a delay. @returns what takes it back. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
}

export interface BattleHost {
  /** Goes on with what the last process left. */
  start(): Promise<void>;
  /** Shows the open question; resolves once it stands there. */
  show(battle: Battle): Promise<void>;
  /** Shows who has answered by now. */
  refresh(battle: Battle): void;
  /** Closes this round now, unless it was closed before. */
  next(battle: Battle, round: number): Promise<void>;
  stop(): Promise<void>;
}

/** What was sent in time may arrive a little later. */
const graceMs = 300;
/** A battle that nobody has moved on for this long is over. */
const forgottenMs = 10 * 60_000;

export function createBattleHost({ battles, deliver, runs, log, now, after }: BattleHostOptions): BattleHost {
  const timers = new Map<string, () => void>();
  const underWay = new Set<Promise<void>>();
  let stopped = false;

  async function put(battle: Battle, reply: Reply) {
    const { front, workspaceId, conversationId, startedBy } = battle;
    if (!isFront(front)) throw new Error(`a battle was started from a front that is not known: ${front}`);
    await deliver({ front, workspaceId, conversationId }, reply, { id: startedBy, name: startedBy });
  }

  async function show(battle: Battle) {
    const round = battle.rounds.find(({ number }) => number === battle.open);
    if (round === undefined) return;
    schedule(battle, round.number);
    await put(battle, openQuestion(battle, round));
  }

  function schedule(battle: Battle, round: number) {
    timers.get(battle.id)?.();
    const leftMs = battle.roundEndsAt.getTime() - now().getTime();
    const cancel = after(Math.max(0, leftMs) + graceMs, () => {
      timers.delete(battle.id);
      follow(next(battle, round), battle);
    });
    timers.set(battle.id, cancel);
  }

  /** Nobody waits for it: what goes wrong is logged. */
  function follow(work: Promise<void>, { id }: Battle) {
    const followed = work
      .catch((error: unknown) => log.error({ err: error, battle: id }, 'a battle could not be moved on'))
      .finally(() => underWay.delete(followed));
    underWay.add(followed);
  }

  async function next(battle: Battle, round: number) {
    if (stopped) return;
    const after = await battles.close(battle, round);
    if (after === undefined) return;
    timers.get(battle.id)?.();
    timers.delete(battle.id);
    await correct(after, round);
    if (after.open === undefined) await end(after);
    else await show(after);
  }

  async function correct(battle: Battle, round: number) {
    const closed = battle.rounds.find(({ number }) => number === round);
    if (closed !== undefined) await put(battle, closedQuestion(battle, closed));
  }

  async function end(battle: Battle) {
    await put(battle, finalRanking(battle));
    await battles.finish(battle);
  }

  /** Slots make it safe to show again what may have been shown already. */
  async function goOn(battle: Battle) {
    if (battle.open !== undefined && now().getTime() - battle.roundEndsAt.getTime() > forgottenMs) {
      const closed = await battles.close(battle, battle.open);
      return goOn(closed === undefined ? battle : { ...closed, roundEndsAt: battle.roundEndsAt });
    }
    const last = (battle.open ?? battle.rounds.length + 1) - 1;
    if (last > 0) await correct(battle, last);
    if (battle.open === undefined) await end(battle);
    else await show(battle);
  }

  return {
    show,
    next,
    async start() {
      for (const battle of await battles.unfinished()) {
        if (isFront(battle.front) && runs(battle.front)) follow(goOn(battle), battle);
      }
    },
    refresh(battle) {
      follow(
        battles.get(battle.workspaceId, battle.id).then(async (fresh) => {
          const round = fresh.rounds.find(({ number }) => number === battle.open);
          if (round !== undefined && fresh.open === battle.open) await put(fresh, openQuestion(fresh, round));
        }),
        battle,
      );
    },
    async stop() {
      stopped = true;
      for (const cancel of timers.values()) cancel();
      await Promise.all(underWay);
    },
  };
}
