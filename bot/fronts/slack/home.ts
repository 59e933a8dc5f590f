// App Home: how the learning goes, the last runs, what can be started, and one person's settings.
import type { Engine, Run } from '../../../engine/index.ts';
import { percent, statusWords } from '../../chat/run-card.ts';
import { callAction, type Keepsake } from './actions.ts';
import { mrkdwn, plainText, type SlackBlock } from './blocks.ts';
import { cut } from './limits.ts';
import { escapeMrkdwn } from './markdown.ts';

export interface HomeFacts {
  readonly score: { readonly correct: number; readonly answered: number };
  /** Newest first. */
  readonly runs: readonly Run[];
  readonly followsUp: boolean;
  readonly pageUrl: string | undefined;
}

export const settingsAction = 'settings:follow-ups';
const followUpValue = 'follow-up';
export const isFollowUp = (value: string) => value === followUpValue;

const shownRuns = 5;

export async function readHome(
  engine: Engine,
  {
    workspaceId,
    personId,
    followsUp,
    pageUrl,
  }: { workspaceId: string; personId: string; followsUp: boolean; pageUrl: string | undefined },
): Promise<HomeFacts> {
  const [score, runs] = await Promise.all([
    engine.quizzes.score({ workspaceId, personId }),
    engine.runs.list(workspaceId, shownRuns),
  ]);
  return { score, runs, followsUp, pageUrl };
}

export function renderHome({ score, runs, followsUp, pageUrl }: HomeFacts) {
  const kept: Keepsake[] = [];
  let buttons = 0;
  const button = (label: string, command: string, args = {}, style?: 'primary') => ({
    type: 'button' as const,
    text: plainText(label),
    ...callAction({ command, args }, buttons++, kept),
    ...(style === undefined ? {} : { style }),
  });
  const followUp = {
    text: plainText('Follow up in threads without a mention'),
    value: followUpValue,
    description: plainText('Off: in channels I answer you only when you mention me'),
  };
  const learned =
    score.answered === 0
      ? 'No quiz yet. Five questions tell you more than five pages.'
      : `*${score.correct} of ${score.answered}* quiz questions right (${percent(score.correct / score.answered)}).`;

  const blocks: readonly SlackBlock[] = [
    { type: 'header', text: plainText('Machine learning, taught and trained here') },
    {
      type: 'section',
      text: mrkdwn(
        'Ask me anything in a direct message, or mention me in a channel. I answer from a guide and cite it, quiz you, and fine-tune models on your own examples.',
      ),
    },
    {
      type: 'actions',
      elements: [
        button('Take a quiz', 'quiz', {}, 'primary'),
        button('Fine-tune a model', 'finetune'),
        button('What I can do', 'help'),
      ],
    },
    { type: 'divider' },
    { type: 'header', text: plainText('Your progress') },
    { type: 'section', text: mrkdwn(learned) },
    { type: 'divider' },
    { type: 'header', text: plainText('Recent runs') },
    ...(runs.length === 0
      ? [
          {
            type: 'section' as const,
            text: mrkdwn('No run yet. Bring a file of examples, or start with a built-in one.'),
          },
        ]
      : runs.map((run) => ({
          type: 'section' as const,
          text: mrkdwn(describeRun(run)),
          accessory: button('Open', 'runs', { action: 'show', run: run.name }),
        }))),
    { type: 'divider' },
    { type: 'header', text: plainText('Settings') },
    {
      type: 'actions',
      elements: [
        {
          type: 'checkboxes',
          action_id: settingsAction,
          options: [followUp],
          ...(followsUp ? { initial_options: [followUp] } : {}),
        },
      ],
    },
    ...(pageUrl === undefined
      ? []
      : [{ type: 'context' as const, elements: [mrkdwn(`The guide: <${pageUrl}/guide|${pageUrl}>`)] }]),
  ];
  return { view: { type: 'home' as const, blocks }, kept };
}

function describeRun({ name, datasetName, status, metrics }: Run): string {
  const result = metrics === undefined ? '' : ` · accuracy ${percent(metrics.accuracy)}`;
  return `*${escapeMrkdwn(name)}* · ${statusWords[status]}${result}\n${escapeMrkdwn(cut(datasetName, 200))}`;
}
