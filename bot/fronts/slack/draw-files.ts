// Files to hand over: a button for one, a select for several.
import type { Block } from '../../chat/message.ts';
import { fileAction, fileOption, filesActionId } from './actions.ts';
import { mrkdwn, plainText, type SlackBlock, type SlackOption } from './blocks.ts';
import { type Drawing, packLines } from './drawing.ts';
import { cut, limits } from './limits.ts';
import { escapeMrkdwn } from './markdown.ts';

type FileBlock = Extract<Block, { kind: 'file' }>;

/** Files one after the other are offered together: a button for each would be a wall of buttons. */
export function groupFiles(blocks: readonly Block[]): readonly (Exclude<Block, FileBlock> | FileBlock[])[] {
  const grouped: (Exclude<Block, FileBlock> | FileBlock[])[] = [];
  for (const block of blocks) {
    const last = grouped.at(-1);
    if (block.kind !== 'file') grouped.push(block);
    else if (Array.isArray(last) && last.length < limits.options) last.push(block);
    else grouped.push([block]);
  }
  return grouped;
}

export function drawFiles(files: readonly FileBlock[], drawing: Drawing): readonly SlackBlock[] {
  const [first, ...others] = files;
  if (first === undefined) return [];
  if (others.length === 0) return drawFile(first, drawing);
  const options = new Map<string, SlackOption>();
  for (const file of files) {
    const value = fileOption(file, drawing.kept);
    options.set(value, { text: plainText(cut(file.name === '' ? '…' : file.name, limits.optionText)), value });
  }
  const names = files.map((file) => `*${escapeMrkdwn(cut(file.name, 100))}* ${bytesInWords(file.bytes)}`);
  return packLines([`📄 ${names[0]}`, ...names.slice(1)], limits.sectionText - 100).map((lines, index) => {
    const text = mrkdwn(lines.replaceAll('\n', ' · '));
    if (index > 0) return { type: 'section', text };
    return {
      type: 'section',
      text,
      accessory: {
        type: 'static_select',
        action_id: filesActionId,
        placeholder: plainText('Send it here…'),
        options: [...options.values()],
      },
    };
  });
}

export function drawFile(file: FileBlock, drawing: Drawing): readonly SlackBlock[] {
  return [
    {
      type: 'section',
      text: mrkdwn(`📄 *${escapeMrkdwn(cut(file.name, 600))}* · ${bytesInWords(file.bytes)}`),
      accessory: {
        type: 'button',
        text: plainText('Send it here'),
        ...fileAction(file, drawing.buttons++, drawing.kept),
      },
    },
  ];
}

function bytesInWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
