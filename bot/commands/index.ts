// Every command, by name. A new one is a file beside this and a line here.
import type { Command } from '../chat/command.ts';
import { ask } from './ask.ts';
import { battle } from './battle.ts';
import { demo } from './demo.ts';
import { explain } from './explain.ts';
import { feedback } from './feedback.ts';
import { finetune } from './finetune.ts';
import { gaps } from './gaps.ts';
import { help } from './help.ts';
import { human } from './human.ts';
import { learn } from './learn.ts';
import { level } from './level.ts';
import { progress } from './progress.ts';
import { quiz } from './quiz.ts';
import { review } from './review.ts';
import { roadmap } from './roadmap.ts';
import { runs } from './runs.ts';
import { tryRun } from './try.ts';

export const commands: readonly Command[] = [
  ask,
  explain,
  level,
  demo,
  quiz,
  battle,
  review,
  progress,
  roadmap,
  learn,
  finetune,
  runs,
  tryRun,
  human,
  feedback,
  gaps,
  help,
];
