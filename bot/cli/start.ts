// `finetutor start` and `chat`: the bot until somebody ends it (Ctrl-C, SIGTERM, or leaving the terminal).
import { processEnvironment, readConfig, secretsOf } from '../config.ts';
import { createLog } from '../log.ts';
import { type BotOptions, startBot } from '../main.ts';

export async function start(fronts: BotOptions['fronts']): Promise<void> {
  const environment = processEnvironment();
  const config = readConfig(environment);
  const log = createLog({ level: config.logLevel, secrets: secretsOf(environment), stream: process.stderr });
  const ended = new AbortController();
  const end = () => ended.abort();
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  const bot = await startBot({
    config,
    log,
    fronts,
    input: process.stdin,
    output: process.stdout,
    colours: process.stdout.isTTY === true && process.stdout.hasColors(),
    uptimeMs: () => performance.now(),
    onLeave: end,
  });
  if (!ended.signal.aborted) await new Promise((resolve) => ended.signal.addEventListener('abort', resolve));
  await bot.stop();
}
