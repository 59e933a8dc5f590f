// runs: what has been trained and is being trained; opens, stops and resumes one.
import { z } from 'zod';
import { type Run, UserError } from '../../engine/index.ts';
import { type CommandContext, defineCommand } from '../chat/command.ts';
import { code, plain } from '../chat/escape.ts';
import { finishedParts } from '../chat/live.ts';
import { isMaintainer } from '../chat/maintainers.ts';
import type { Reply } from '../chat/message.ts';
import { metricsInWords } from '../chat/metrics-words.ts';
import { aside, button, buttons, reply, text } from '../chat/reply.ts';
import { exportBlocks, methodInWords, runCard, statusWords } from '../chat/run-card.ts';
import { taskWords } from '../chat/task-words.ts';

const listed = 15;

export const runs = defineCommand({
  name: 'runs',
  summary: 'your training runs: list, show, stop, resume, export',
  usage: 'runs [show|stop|resume|export] [run]',
  examples: ['runs', 'runs run-3', 'runs stop run-3', 'runs export run-3'],
  args: z.strictObject({
    action: z.enum(['list', 'show', 'stop', 'resume', 'export']).default('list'),
    run: z.string().trim().min(1).max(100).optional(),
  }),
  parse: (rest) => {
    const [first = '', second] = rest.split(/\s+/);
    if (first === '') return {};
    const action = first.toLowerCase();
    if (second !== undefined) return { action, run: second };
    return actions.has(action) ? { action } : { action: 'show', run: first };
  },
  isMeant: (rest) => rest === '' || /^(list|((show|stop|resume|export)\s+)?run-\d+)$/i.test(rest),
  async *execute({ action, run: name }, context) {
    if (action === 'list' || name === undefined) yield await list(context);
    else yield await act[action](name, context);
  },
});

const actions = new Set(['list', 'show', 'stop', 'resume', 'export']);

type Act = (name: string, context: CommandContext) => Promise<Reply>;

const act: { readonly [A in 'show' | 'stop' | 'resume' | 'export']: Act } = {
  async show(name, { engine, place }) {
    const run = await engine.runs.get(place.workspaceId, name);
    const loss = run.progress && (await engine.runs.lossPicture(place.workspaceId, run.id));
    const { slot: _, ...card } = runCard(run, { ...(await finishedParts(engine.runs, run)), loss });
    return card;
  },
  async stop(name, context) {
    await requireOwner('stop', name, context);
    const { engine, place } = context;
    const run = await engine.runs.stop(place.workspaceId, name);
    return aside(text(stopWords(run)));
  },
  async export(name, { engine, place }) {
    const exported = await engine.runs.exportModel(place.workspaceId, name);
    return reply(text(`**${plain(name)}** is exported.`), ...exportBlocks(exported));
  },
  async resume(name, context) {
    await requireOwner('resume', name, context);
    const { engine, place } = context;
    const run = await engine.runs.resume(place.workspaceId, name);
    return aside(text(`**${plain(run.name)}** goes on from its last checkpoint.`));
  },
};

/** A group sees all its runs; each is stopped and resumed by whoever started it, or by a maintainer. */
async function requireOwner(action: 'stop' | 'resume', name: string, { engine, place, person }: CommandContext) {
  const run = await engine.runs.get(place.workspaceId, name);
  if (run.startedBy === person.id || (await isMaintainer(engine.kept, place, person))) return;
  throw new UserError(
    `${run.name} was started by someone else, so you cannot ${action} it.`,
    'Ask them, or a maintainer of this workspace.',
  );
}

function stopWords({ name, status }: Run): string {
  switch (status) {
    case 'stopping':
      return `**${plain(name)}** stops after this step; its checkpoint is kept.`;
    case 'stopped':
      return `**${plain(name)}** is stopped; ${code(`runs resume ${name}`)} goes on.`;
    default:
      return `**${plain(name)}** is ${statusWords[status]} already.`;
  }
}

async function list({ engine, place }: CommandContext): Promise<Reply> {
  const found = await engine.runs.list(place.workspaceId, listed);
  const startOne = buttons(button('Fine-tune a model', { command: 'finetune', args: {} }, 'primary'));
  if (found.length === 0)
    return reply(text('No run yet. Bring a file of examples, or start with a built-in one.'), startOne);
  return reply(
    {
      kind: 'table',
      caption: 'Runs, newest first',
      columns: [
        { label: 'Run', align: 'left' },
        { label: 'Status', align: 'left' },
        { label: 'Score', align: 'right' },
        { label: 'Task', align: 'left' },
        { label: 'Method', align: 'left' },
        { label: 'Data', align: 'left' },
      ],
      rows: found.map((run) => [
        run.name,
        statusWords[run.status] + progressOf(run),
        run.metrics === undefined ? '–' : metricsInWords(run.metrics, 'brief'),
        taskWords[run.spec.task].wish,
        methodInWords(run.spec),
        run.datasetName,
      ]),
    },
    {
      kind: 'select',
      label: 'Open a run',
      options: found.map((run) => ({ label: run.name, value: run.name, description: statusWords[run.status] })),
      call: { command: 'runs', args: { action: 'show' } },
      argument: 'run',
    },
    startOne,
  );
}

function progressOf({ status, start, progress }: Run): string {
  if (status === 'done' || start === undefined || progress === undefined || start.totalSteps === 0) return '';
  return ` (${Math.floor((progress.step / start.totalSteps) * 100)} %)`;
}
