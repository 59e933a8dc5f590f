// Steps for Slack's Workflow Builder: "Ask the guide" and "Start a fine-tuning run".
import type { App } from '@slack/bolt';
import { z } from 'zod';
import { type Engine, UserError } from '../../../engine/index.ts';
import { type Arrivals, keys } from './arrivals.ts';
import type { Intake } from './intake.ts';
import { wordsOfMarkdown } from './markdown.ts';
import { workspaceOfEvent } from './payloads.ts';
import { newConversation } from './places.ts';

export interface FunctionOptions {
  readonly engine: Engine;
  readonly intake: Intake;
  readonly log: { error(fields: object, message: string): void };
  readonly arrivals: Pick<Arrivals, 'wasCutShort'>;
  readonly work: (what: string, doIt: () => Promise<void>) => void;
}

const executionSchema = z.looseObject({ function_execution_id: z.string() });
const askInputs = z.looseObject({ question: z.string().trim().min(1).max(8000) });
const runInputs = z.looseObject({
  dataset: z.string().trim().min(1).max(200),
  method: z.enum(['full', 'lora']).default('full'),
  channel_id: z.string().min(1),
  user_id: z.string().min(1),
});

type Outputs = { readonly [name: string]: string };

export function listenToFunctions(app: App, { engine, intake, log, work, arrivals }: FunctionOptions): void {
  /** Acknowledged by Bolt; done once, its outcome told to the workflow. */
  function step(
    callbackId: string,
    run: (workspaceId: string, inputs: unknown, executionId: string) => Promise<Outputs>,
  ) {
    app.function(callbackId, async ({ event, body, inputs, complete, fail }) => {
      const workspaceId = workspaceOfEvent(body);
      const execution = executionSchema.safeParse(event);
      if (workspaceId === undefined || !execution.success) return;
      const executionId = execution.data.function_execution_id;
      work(`the step ${callbackId}`, async () => {
        await intake.openWorkspace(workspaceId);
        const key = keys.step(executionId);
        if (arrivals.wasCutShort(key)) {
          await fail({ error: 'I was restarted while I worked on this. Run the workflow again.' });
          return;
        }
        if (!(await engine.conversations.claim(workspaceId, key))) return;
        try {
          await complete({ outputs: await run(workspaceId, inputs, executionId) });
        } catch (error) {
          if (!(error instanceof UserError)) log.error({ err: error, callbackId }, 'Slack: a workflow step failed');
          const words =
            error instanceof UserError
              ? `${error.message} ${error.hint}`
              : 'Something broke on our side; it is in the log.';
          await fail({ error: words });
        }
      });
    });
  }

  step('ask_guide', async (_workspaceId, given) => {
    const { question } = parse(askInputs, given);
    const answer = await engine.tutor.ask(question, []);
    return {
      answer: wordsOfMarkdown(answer.markdown),
      sources: answer.citations.map(({ title }) => title).join('\n'),
    };
  });

  step('start_run', async (workspaceId, given, executionId) => {
    const { dataset: wanted, method, channel_id, user_id } = parse(runInputs, given);
    const dataset = await findDataset(workspaceId, wanted);
    if (!dataset.report.tasks.includes('text-classification')) {
      throw new UserError(
        `${dataset.name} holds no texts with labels.`,
        'Start it with finetune, which knows every task.',
      );
    }
    const run = await engine.runs.submit({
      workspaceId,
      personId: user_id,
      front: 'slack',
      conversationId: newConversation(channel_id, executionId),
      datasetName: dataset.name,
      spec: {
        task: 'text-classification',
        method,
        data: {
          train: dataset.path,
          columns: { text: dataset.report.textColumn, label: dataset.report.labelColumn },
        },
      },
    });
    return { run: run.name };
  });

  async function findDataset(workspaceId: string, wanted: string) {
    const kept = await engine.datasets.list(workspaceId);
    const named = [...engine.datasets.samples.map(({ id, title }) => ({ id, name: title })), ...kept];
    const found = named.find(({ id, name }) => id === wanted || name.toLowerCase() === wanted.toLowerCase());
    if (found !== undefined) return engine.datasets.get(workspaceId, found.id);
    throw new UserError(
      `There is no dataset called ${wanted}.`,
      `There are: ${named.map(({ name }) => name).join(', ')}.`,
    );
  }
}

function parse<T>(schema: z.ZodType<T>, inputs: unknown): T {
  const read = schema.safeParse(inputs);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new UserError(
    `The input ${issue?.path.join('.') ?? ''} is not right: ${issue?.message ?? ''}.`,
    'Correct it in the workflow.',
  );
}
