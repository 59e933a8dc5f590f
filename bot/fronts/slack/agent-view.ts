// Its own view in Slack, where people write to it as to an agent: prompts to begin with, a title for each conversation, and a
// status while an answer is under way. All of it is pleasant to have: where Slack refuses it, the answer comes all the same.
// https://docs.slack.dev/ai/migrating-to-agent-messaging
import type { App } from '@slack/bolt';
import { cut, limits } from './limits.ts';
import type { Listening } from './listening.ts';
import { assistantStartedSchema, homeOpenedSchema, type MessageEvent, readText, workspaceOfEvent } from './payloads.ts';
import { isDirect } from './places.ts';

/** As manifest.yaml has them, too. */
export const prompts = [
  { title: 'Why does my model overfit?', message: 'Why does my model do well in training and badly on new data?' },
  { title: 'Explain LoRA', message: 'explain LoRA' },
  { title: 'Quiz me', message: 'quiz' },
  { title: 'Fine-tune a model', message: 'finetune' },
].slice(0, limits.suggestedPrompts);

export function listenToAgentView(app: App, { work, quietly }: Listening) {
  const suggest = (workspaceId: string, place: { readonly channel_id: string; readonly thread_ts?: string }) =>
    quietly(workspaceId, 'assistant.threads.setSuggestedPrompts', { ...place, title: 'For example', prompts });

  app.event('app_home_opened', async ({ event, body }) => {
    const opened = homeOpenedSchema.safeParse(event);
    const workspaceId = workspaceOfEvent(body);
    if (!opened.success || workspaceId === undefined) return;
    const { tab, channel } = opened.data;
    if (tab !== 'messages' || channel === undefined) return;
    work('its own view', () => suggest(workspaceId, { channel_id: channel }));
  });

  /** Apps made before there was an agent view tell of each new conversation instead. */
  app.event('assistant_thread_started', async ({ event, body }) => {
    const started = assistantStartedSchema.safeParse(event);
    const workspaceId = workspaceOfEvent(body);
    if (!started.success || workspaceId === undefined) return;
    const { channel_id, thread_ts } = started.data.assistant_thread;
    work('a new assistant thread', () => suggest(workspaceId, { channel_id, thread_ts }));
  });

  return {
    /** That an answer is under way; Slack takes it away with our answer. A conversation that begins gets its title. */
    async show(workspaceId: string, { channel, ts, thread_ts, text }: MessageEvent) {
      if (!isDirect(channel)) return;
      const place = { channel_id: channel, thread_ts: thread_ts ?? ts };
      await quietly(workspaceId, 'assistant.threads.setStatus', { ...place, status: 'is looking it up…' });
      const title = cut(readText(text, undefined), limits.threadTitle);
      if (thread_ts === undefined && title !== '')
        await quietly(workspaceId, 'assistant.threads.setTitle', { ...place, title });
    },
  };
}
