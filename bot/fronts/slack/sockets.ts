// Socket Mode over two sockets side by side: Slack sends each event down one of them, so while one is refreshed the other
// takes what comes. Reconnects are ours, since Bolt's own end the process when a token is revoked meanwhile.
import { type App, type Receiver, SocketModeReceiver } from '@slack/bolt';
import { clientOptions, type SlackProblem, toProblem } from './api.ts';
import type { BoltLog } from './bolt-log.ts';

export interface SocketsOptions {
  readonly appToken: string;
  readonly apiUrl: string;
  readonly count: number;
  readonly log: BoltLog;
  /** A socket came or went. */
  readonly onChange: (state: { readonly connected: number; readonly problem: SlackProblem | undefined }) => void;
  /** Calls back once after a delay. @returns what takes it back. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
}

const longestWaitMs = 30_000;
/** After a refusal that only a person can mend, Slack is asked seldom. */
const refusedWaitMs = 60_000;

export function createSockets({ appToken, apiUrl, count, log, onChange, after }: SocketsOptions): Receiver {
  const receivers = Array.from(
    { length: count },
    () =>
      new SocketModeReceiver({
        appToken,
        logger: log,
        autoReconnectEnabled: false,
        installerOptions: { clientOptions: clientOptions(apiUrl, log) },
      }),
  );
  const connected = new Set<SocketModeReceiver>();
  const waits = new Set<() => void>();
  let stopping = false;
  let problem: SlackProblem | undefined;

  const tell = () => onChange({ connected: connected.size, problem });

  async function connect(receiver: SocketModeReceiver) {
    try {
      await receiver.client.start();
      problem = undefined;
      connected.add(receiver);
      tell();
    } catch (error) {
      problem = toProblem('apps.connections.open', error);
      throw problem;
    }
  }

  /** Reconnects whenever the socket goes, at once the first time, then ever more patiently. */
  async function keepUp(receiver: SocketModeReceiver, up: boolean) {
    let failures = up ? 0 : 1;
    let isUp = up;
    while (!stopping) {
      if (isUp) {
        await new Promise<void>((resolve) => receiver.client.once('disconnected', () => resolve()));
        connected.delete(receiver);
        tell();
      }
      if (failures > 0)
        await pause(problem?.trouble === 'credentials' ? refusedWaitMs : Math.min(longestWaitMs, 500 * 2 ** failures));
      if (stopping) return;
      isUp = await connect(receiver).then(
        () => true,
        () => false,
      );
      failures = isUp ? 0 : failures + 1;
      if (!isUp) tell();
    }
  }

  function pause(delayMs: number) {
    return new Promise<void>((resolve) => {
      const end = () => {
        cancel();
        waits.delete(end);
        resolve();
      };
      const cancel = after(delayMs, end);
      waits.add(end);
    });
  }

  return {
    init(app: App) {
      for (const receiver of receivers) receiver.init(app);
    },
    /** @throws SlackProblem when Slack refuses the token; where Slack can't be reached, it goes on trying. */
    async start() {
      const [first, ...others] = receivers;
      if (first === undefined) throw new RangeError('Socket Mode needs a socket');
      let up = true;
      await connect(first).catch((error: unknown) => {
        if (problem === undefined || (problem.trouble !== 'unsure' && problem.trouble !== 'wait')) throw error;
        up = false;
      });
      void keepUp(first, up);
      for (const receiver of others)
        void keepUp(
          receiver,
          await connect(receiver).then(
            () => true,
            () => false,
          ),
        );
      tell();
    },
    async stop() {
      stopping = true;
      for (const end of [...waits]) end();
      await Promise.all(receivers.map((receiver) => receiver.client.disconnect()));
      connected.clear();
    },
  };
}
