// The few shapes of reply that many commands give.
import type { UserError } from '../../engine/index.ts';
import { plain } from './escape.ts';
import type { Block, Button, Call, Reply } from './message.ts';

/** A reply everyone in the place sees. */
export function reply(...blocks: readonly Block[]): Reply {
  return { audience: 'everyone', blocks };
}

/** A reply that only the person who asked sees. */
export function aside(...blocks: readonly Block[]): Reply {
  return { audience: 'asker', blocks };
}

/** @param markdown ours; other people's words in it have gone through `plain`. */
export function text(markdown: string): Block {
  return { kind: 'text', markdown };
}

export function buttons(...shown: readonly Button[]): Block {
  return { kind: 'buttons', buttons: shown };
}

export function button(label: string, call: Call, style: Button['style'] = 'secondary'): Button {
  return { label, style, call };
}

/** What was wrong and what to do next. */
export function apology(error: UserError): Reply {
  return aside(text(`**${plain(error.message)}**`), text(plain(error.hint)));
}
