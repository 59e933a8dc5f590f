// App Home: how the learning goes, the last runs, what can be started, and one person's settings.
import type { Engine, Progress, RoadmapStanding, Run } from '../../../engine/index.ts';
import { nextInWords, outlookInWords, progressBar, streakInWords } from '../../chat/learning.ts';
import { metricsInWords } from '../../chat/metrics-words.ts';
import { statusWords } from '../../chat/run-card.ts';
import { callAction, type Keepsake } from './actions.ts';
import { mrkdwn, plainText, type SlackBlock } from './blocks.ts';
import { cut } from './limits.ts';
import { escapeMrkdwn, toMrkdwn } from './markdown.ts';

export interface HomeFacts {
  readonly progress: Progress;
  readonly roadmap: RoadmapStanding;
  /** Newest first. */
  readonly runs: readonly Run[];
  readonly settings: Settings;
  readonly pageUrl: string | undefined;
  readonly now: Date;
}

interface Settings {
  /** In threads, without a mention. */
  readonly followsUp: boolean;
  /** The hour, in UTC, from which this person is told of what is due; undefined: never. */
  readonly reminderHour: number | undefined;
}

export const followUpsAction = 'settings:follow-ups';
export const reminderAction = 'settings:reminder';
const followUpValue = 'follow-up';
export const isFollowUp = (value: string) => value === followUpValue;
/** The hour an option of the reminder stands for. */
export const reminderHourOf = (value: string) => (/^\d+$/.test(value) ? Number(value) : undefined);

const shownRuns = 5;
const shownChapters = 8;
const reminderHours = [6, 8, 12, 17, 20];

export async function readHome(
  engine: Engine,
  {
    workspaceId,
    personId,
    ...given
  }: { workspaceId: string; personId: string } & Omit<HomeFacts, 'progress' | 'roadmap' | 'runs'>,
): Promise<HomeFacts> {
  const [progress, roadmap, runs] = await Promise.all([
    engine.reviews.progress({ workspaceId, personId }),
    engine.roadmap.standing({ workspaceId, personId }),
    engine.runs.list(workspaceId, shownRuns),
  ]);
  return { ...given, progress, roadmap, runs };
}

export function renderHome({ progress, roadmap, runs, settings, pageUrl, now }: HomeFacts) {
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
  const never = { text: plainText('Never'), value: 'never' };
  const hours = reminderHours.map((hour) => ({
    text: plainText(`From ${String(hour).padStart(2, '0')}:00 UTC`),
    value: String(hour),
  }));
  const due = progress.due > 0;

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
        button('Take a quiz', 'quiz', {}, due ? undefined : 'primary'),
        button('Fine-tune a model', 'finetune'),
        button('What I can do', 'help'),
      ],
    },
    { type: 'divider' },
    { type: 'header', text: plainText('Your progress') },
    { type: 'section', text: mrkdwn(describeProgress(progress)) },
    {
      type: 'section',
      text: mrkdwn(toMrkdwn(outlookInWords(progress, now))),
      ...(due ? { accessory: button('Review now', 'review', {}, 'primary') } : {}),
    },
    {
      type: 'section',
      text: mrkdwn(`${phasesInLine(roadmap)}\n${toMrkdwn(nextInWords(roadmap.next))}`),
      accessory: button('Roadmap', 'roadmap'),
    },
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
          action_id: followUpsAction,
          options: [followUp],
          ...(settings.followsUp ? { initial_options: [followUp] } : {}),
        },
      ],
    },
    {
      type: 'section',
      text: mrkdwn('*Remind me of reviews*\nOnce a day, in a direct message, when something is due'),
      accessory: {
        type: 'static_select',
        action_id: reminderAction,
        placeholder: plainText('Choose…'),
        options: [never, ...hours],
        initial_option: hours.find(({ value }) => value === String(settings.reminderHour)) ?? never,
      },
    },
    ...(pageUrl === undefined
      ? []
      : [{ type: 'context' as const, elements: [mrkdwn(`The guide: <${pageUrl}/guide|${pageUrl}>`)] }]),
  ];
  return { view: { type: 'home' as const, blocks }, kept };
}

function describeProgress({ chapters, chaptersInAll, streakDays }: Progress): string {
  if (chapters.length === 0) return 'No quiz yet. Five questions tell you more than five pages.';
  const lines = chapters.slice(0, shownChapters).map(({ title, mastery, answered, questions }) => {
    const asked = `${answered} of ${questions} asked`;
    return `${progressBar(mastery)} *${escapeMrkdwn(cut(title, 80))}* · ${asked}`;
  });
  const left = chapters.length - lines.length;
  return [
    `*${streakInWords(streakDays)}* · ${chapters.length} of ${chaptersInAll} ${chaptersInAll === 1 ? 'chapter' : 'chapters'} begun`,
    ...lines,
    ...(left > 0 ? [`… and ${left} more: write me \`progress\``] : []),
  ].join('\n');
}

/** `*Roadmap* · 1 Foundations 3/7 · 2 Core methods 0/4 …` */
function phasesInLine({ phases }: RoadmapStanding): string {
  const told = phases.map(({ phase, number, steps, done }) => {
    const finished = steps.filter((step) => step.done).length;
    return `${number} ${escapeMrkdwn(phase.title)} ${done ? '✓' : `${finished}/${steps.length}`}`;
  });
  return ['*Roadmap*', ...told].join(' · ');
}

function describeRun({ name, datasetName, status, metrics }: Run): string {
  const result = metrics === undefined ? '' : ` · ${escapeMrkdwn(metricsInWords(metrics, 'soFar'))}`;
  return `*${escapeMrkdwn(name)}* · ${statusWords[status]}${result}\n${escapeMrkdwn(cut(datasetName, 200))}`;
}
