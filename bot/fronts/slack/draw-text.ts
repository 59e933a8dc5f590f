// Markdown as Slack's own text blocks, or as the oldest of them.
import { splitMarkdown } from '../split.ts';
import { mrkdwn, plainText, type SlackBlock } from './blocks.ts';
import { drawTable } from './draw-table.ts';
import { type Drawing, textPart } from './drawing.ts';
import { cut, limits } from './limits.ts';
import { escapeMrkdwn, type Part, quiet, readMarkdown, toMrkdwn } from './markdown.ts';

export function drawMarkdown(markdown: string, drawing: Drawing): readonly SlackBlock[] {
  const pieces = splitMarkdown(markdown, textPart);
  if (drawing.plain) {
    return pieces.flatMap((piece) =>
      splitMarkdown(toMrkdwn(piece), limits.sectionText).map(
        (text): SlackBlock => ({
          type: 'section',
          text: mrkdwn(text),
          expand: true,
        }),
      ),
    );
  }
  return pieces.flatMap((piece) => readMarkdown(piece)).flatMap((part) => drawPart(part, drawing));
}

function drawPart(part: Part, drawing: Drawing): readonly SlackBlock[] {
  switch (part.kind) {
    case 'rich':
      return [{ type: 'rich_text', elements: part.elements }];
    case 'heading':
      return part.text.trim() === '' ? [] : [{ type: 'header', text: plainText(cut(part.text, limits.header)) }];
    case 'table':
      return drawTable(part.rows, part.aligns, drawing);
  }
}

export function drawCaption(caption: string, { plain }: Drawing): readonly SlackBlock[] {
  if (plain) return [{ type: 'section', text: mrkdwn(`*${escapeMrkdwn(cut(caption, 600))}*`) }];
  const text = { type: 'text', text: quiet(caption), style: { bold: true } } as const;
  return [{ type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [text] }] }];
}
