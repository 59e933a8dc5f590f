// The Block Kit payloads we make, and nothing more of Block Kit. https://docs.slack.dev/reference/block-kit/blocks
import type { RichElement } from './markdown.ts';

export interface PlainText {
  readonly type: 'plain_text';
  readonly text: string;
  readonly emoji?: boolean;
}

export interface Mrkdwn {
  readonly type: 'mrkdwn';
  readonly text: string;
}

export interface SlackOption {
  readonly text: PlainText;
  readonly value: string;
  readonly description?: PlainText;
}

export interface SlackButton {
  readonly type: 'button';
  readonly text: PlainText;
  readonly action_id: string;
  readonly value?: string;
  readonly url?: string;
  readonly style?: 'primary' | 'danger';
}

interface SlackSelect {
  readonly type: 'static_select';
  readonly action_id: string;
  readonly placeholder: PlainText;
  readonly options: readonly SlackOption[];
  readonly initial_option?: SlackOption;
}

interface SlackCheckboxes {
  readonly type: 'checkboxes';
  readonly action_id: string;
  readonly options: readonly SlackOption[];
  readonly initial_options?: readonly SlackOption[];
}

interface RichText {
  readonly type: 'rich_text';
  readonly elements: readonly RichElement[];
}

export interface TaskCard {
  readonly type: 'task_card';
  readonly task_id: string;
  readonly title: string;
  readonly status: 'pending' | 'in_progress' | 'complete' | 'error';
  readonly details?: RichText;
}

export type Cell = { readonly type: 'raw_text'; readonly text: string } | RichText;

export type SlackBlock =
  | { readonly type: 'divider' }
  | { readonly type: 'header'; readonly text: PlainText }
  | {
      readonly type: 'section';
      readonly text: Mrkdwn | PlainText;
      readonly accessory?: SlackButton | SlackSelect;
      /** Shown whole, not folded behind "see more". */
      readonly expand?: true;
    }
  | { readonly type: 'context'; readonly elements: readonly (Mrkdwn | PlainText)[] }
  | { readonly type: 'actions'; readonly elements: readonly (SlackButton | SlackSelect | SlackCheckboxes)[] }
  | { readonly type: 'image'; readonly alt_text: string; readonly slack_file: { readonly id: string } }
  | {
      readonly type: 'table';
      readonly rows: readonly (readonly Cell[])[];
      readonly column_settings: readonly {
        readonly align: 'left' | 'center' | 'right';
        readonly is_wrapped: boolean;
      }[];
    }
  | TaskCard
  | { readonly type: 'plan'; readonly title: string; readonly tasks: readonly TaskCard[] }
  | RichText;

export const plainText = (text: string): PlainText => ({ type: 'plain_text', text, emoji: true });
export const mrkdwn = (text: string): Mrkdwn => ({ type: 'mrkdwn', text });
