// What the command line understands. Each command is loaded when it is asked for, so that the quick ones are quick.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';

/** Of an option that may be given several times. */
const gather = (value: string, before: readonly string[] = []) => [...before, value];

export function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

  const program = new Command('finetutor')
    .description('A chat tutor for machine learning that also fine-tunes models.')
    .version(version)
    .showHelpAfterError('(--help shows how it is used)');

  program
    .command('start')
    .description('the bot: the web page, and this terminal when it is one')
    .action(async () => (await import('./start.ts')).start({ web: true, terminal: process.stdin.isTTY === true }));

  program
    .command('chat')
    .description('the same conversation in this terminal only')
    .action(async () => (await import('./start.ts')).start({ web: false, terminal: true }));

  program
    .command('ask')
    .description("answer a question from the guide and the group's documents, with citations")
    .argument('[question...]', 'in plain words')
    .option('--jsonl', 'questions as JSON lines on stdin, {"id", "question"} or {"id", "turns"}; answers as JSON lines')
    .option('--workspace <id>', 'whose documents are asked: a Slack team, a Discord server', 'local')
    .option('--channel <id>', 'those of this channel, too')
    .action(async (words: string[], options) => (await import('./ask.ts')).ask(words.join(' '), options));

  program
    .command('train')
    .description('train as a JSON spec says; Ctrl-C stops and keeps a checkpoint')
    .argument('<spec>', 'a JSON file: task, model, method, data, hyper, device, out')
    .option('--events', "print the run's events as JSON lines, and nothing else, on stdout")
    .option('--resume', "go on from the newest checkpoint in the spec's out folder")
    .action(async (spec: string, options) => (await import('./train.ts')).trainSpec(spec, options));

  program
    .command('predict')
    .description('answer with a trained artifact: a label, a number, tags, hidden words, or text that goes on')
    .argument('<artifact>', 'its folder')
    .argument('[text...]', 'one text; without it, --jsonl reads many')
    .option('--image <file>', 'a picture instead of a text; several, to choose from for one --caption', gather)
    .option('--caption <text>', 'several, to choose from for one --image: of a model of pictures and texts', gather)
    .option(
      '--jsonl',
      'JSON lines on stdin, {"id", "text"}, {"id", "image"} (a file) or that with "captions"; an answer a line out',
    )
    .option('--device <device>', 'auto, cpu, webgpu or cuda', 'auto')
    .option('--json', 'the answer as JSON')
    .option('--max-tokens <number>', 'of a text that is written: at most so many tokens (200)')
    .option('--temperature <number>', '0 takes the likeliest token each time; 0.7 is livelier (0)')
    .option('--top-p <number>', 'draw among the likeliest tokens that together reach this probability (1)')
    .option('--seed <number>', 'the same one draws the same text (42)')
    .action(async (artifact: string, words: string[], options) =>
      (await import('./predict.ts')).predict(artifact, words.join(' '), options),
    );

  program
    .command('export')
    .description('write a trained artifact for use elsewhere, adapters merged, and check that it answers the same')
    .argument('<artifact>', 'its folder')
    .argument('<out>', 'the folder to write')
    .option('--to <format>', 'transformers.js (ONNX) or huggingface (safetensors)', 'transformers.js')
    .option('--dtype <list>', 'of the ONNX files: fp32, q8, q4, with commas between', 'fp32,q8')
    .option('--json', 'as JSON')
    .action(async (artifact: string, out: string, options) =>
      (await import('./export.ts')).exportModel(artifact, out, options),
    );

  program
    .command('dataset')
    .description('datasets')
    .command('check')
    .description('say what is in a dataset, and whether it can be trained on')
    .argument('<file>', 'CSV, TSV, JSON, JSON lines, CoNLL, plain text, or a folder or zip of pictures')
    .option('--json', 'as JSON')
    .option('--task <task>', 'what it is for, such as regression; found out unless given')
    .option('--text-column <name>', 'the column with the texts, or the words')
    .option('--label-column <name>', 'the column with the labels, numbers or tags')
    .action(async (file: string, options) => (await import('./dataset.ts')).checkDataset(file, options));

  program
    .command('quiz')
    .description('quiz questions')
    .command('export')
    .description('every question with its choices, corrections and reason')
    .option('--json', 'as JSON')
    .action(async (options) => (await import('./quiz.ts')).exportQuiz(options));

  program
    .command('doctor')
    .description('check this machine and the settings')
    .option('--json', 'as JSON')
    .action(async (options) => (await import('./doctor.ts')).doctor(options));

  program
    .command('deploy-commands')
    .description('make Discord know the commands: changes only what differs')
    .action(async () => (await import('./deploy-commands.ts')).deploy());

  return program;
}
