// Reply → Components V2 messages. Pure: what has to be kept and which files have to be sent comes back beside the pages.
import { ButtonStyle, ComponentType } from 'discord.js';
import { shorten } from '../../chat/escape.ts';
import type { Block, Button, Reply } from '../../chat/message.ts';
import { type CustomIds, createCustomIds, type Keepsake } from './custom-id.ts';
import { drawForm, type FormState, initialState } from './forms.ts';
import { limits } from './limits.ts';
import { escapeText, toDiscord } from './markdown.ts';
import { type Item, item, layOutPages, line, type Page, type PageFile, text, texts } from './pages.ts';
import { drawTable } from './tables.ts';

export interface RenderOptions {
  /** Address of a section in a page that others can open; undefined where there is none: then a button reads it out here. */
  readonly sectionUrl: (chapterId: string, sectionId: string) => string | undefined;
  /** Largest file this place takes, in bytes. */
  readonly fileBytes: number;
  /** Why no file may be sent here, in words for people; undefined where they may. */
  readonly filesRefused?: string | undefined;
  /** Where a form stands, by its id; initially its own values. */
  readonly formState?: FormState;
  /** A card is drawn in a box; whispers always are. */
  readonly boxed?: boolean;
}

export interface Rendered {
  /** At least one. */
  readonly pages: readonly Page[];
  readonly keepsakes: readonly Keepsake[];
}

export function renderReply(reply: Reply, options: RenderOptions): Rendered {
  const ids = createCustomIds();
  const items = gatherPictures(reply.blocks).flatMap((block) => drawBlock(block, { ...options, reply }, ids));
  const boxed = options.boxed ?? (reply.audience === 'asker' || reply.blocks.some(({ kind }) => cardKinds.has(kind)));
  const shown = items.length > 0 ? items : [text('…')];
  return { pages: layOutPages(shown, boxed), keepsakes: ids.keepsakes };
}

const cardKinds: ReadonlySet<Block['kind']> = new Set(['progress', 'form', 'picture', 'file']);

type PictureBlock = Extract<Block, { kind: 'picture' }>;
type DrawnBlock =
  | Exclude<Block, PictureBlock>
  | { readonly kind: 'pictures'; readonly pictures: readonly PictureBlock[] };

/** Pictures that follow each other are one gallery. */
function gatherPictures(blocks: readonly Block[]): readonly DrawnBlock[] {
  const drawn: DrawnBlock[] = [];
  for (const block of blocks) {
    const last = drawn.at(-1);
    if (block.kind !== 'picture') drawn.push(block);
    else if (last?.kind === 'pictures' && last.pictures.length < limits.gallery.items)
      drawn[drawn.length - 1] = { ...last, pictures: [...last.pictures, block] };
    else drawn.push({ kind: 'pictures', pictures: [block] });
  }
  return drawn;
}

type DrawOptions = RenderOptions & { readonly reply: Reply };
type Draw = {
  readonly [K in DrawnBlock['kind']]: (
    block: Extract<DrawnBlock, { kind: K }>,
    options: DrawOptions,
    ids: CustomIds,
  ) => readonly Item[];
};

const draw: Draw = {
  text: ({ markdown }) => texts(toDiscord(markdown)),

  buttons: ({ buttons }, _options, ids) =>
    chunk(buttons, limits.button.perRow).map((some) =>
      item(
        { type: ComponentType.ActionRow, components: some.map((button) => drawButton(button, ids)) },
        some.length + 1,
      ),
    ),

  select: ({ label, options, call, argument, value: chosen }, _options, ids) => {
    const long = options.some(({ value }) => value.length > limits.option.valueCharacters || value === '');
    return chunk(options, limits.select.options).map((some, at) =>
      item(
        {
          type: ComponentType.ActionRow,
          components: [
            {
              type: ComponentType.StringSelect,
              custom_id: ids.select(call, argument, long ? some.map(({ value }) => value) : undefined),
              placeholder: shorten(at === 0 ? label : `${label} (more)`, limits.select.placeholderCharacters),
              options: some.map((option, index) => ({
                label: shorten(
                  // A chosen option hides the placeholder, so it has to say what it is a value of.
                  chosen === undefined ? option.label : `${label}: ${option.label}`,
                  limits.option.labelCharacters,
                ),
                value: long ? String(index) : option.value,
                ...(option.value === chosen ? { default: true } : {}),
                ...(option.description
                  ? { description: shorten(option.description, limits.option.descriptionCharacters) }
                  : {}),
              })),
            },
          ],
        },
        2,
      ),
    );
  },

  form: (form, { formState, reply }, ids) =>
    drawForm(form, formState ?? initialState(form), reply, ids).map((piece) =>
      piece.kind === 'text'
        ? text(piece.content)
        : item({ type: ComponentType.ActionRow, components: piece.components }, piece.components.length + 1),
    ),

  table: (table) => texts(drawTable(table, escapeText)),

  pictures: ({ pictures }, { filesRefused }) => {
    if (filesRefused !== undefined)
      return pictures.map(({ alt }) => text(`🖼 ${escapeText(alt)}\n-# ${escapeText(filesRefused)}`));
    const files = pictures.map(
      ({ pictureId, alt }): PageFile => ({
        name: `chart-${pictureId.slice(0, 24)}.png`,
        description: shorten(alt, limits.gallery.descriptionCharacters),
        from: { kind: 'picture', id: pictureId },
      }),
    );
    const items = files.map(({ name, description }) => ({
      media: { url: `attachment://${name}` },
      ...(description ? { description } : {}),
    }));
    return [{ ...item({ type: ComponentType.MediaGallery, items }, 1), files }];
  },

  progress: ({ label, fraction, detail }) => {
    const share = Math.min(1, Math.max(0, fraction || 0));
    const full = Math.round(share * barCells);
    const bar = '▰'.repeat(full) + '▱'.repeat(barCells - full);
    const below = detail === '' ? '' : `\n-# ${escapeText(detail)}`;
    return texts(`**${escapeText(label)}**\n${bar} **${Math.floor(share * 100)}%**${below}`);
  },

  sources: ({ sources }, { sectionUrl }, ids) => [
    line,
    text('-# **From the guide**'),
    ...sources.map(({ chapterId, sectionId, title, quote, document }, index) => {
      const words = quote === '' ? '' : `\n-# “${escapeText(shorten(quote.replace(/\s+/g, ' '), 240))}”`;
      const content = `${index + 1}. ${escapeText(title)}${words}`;
      const url = document ? undefined : sectionUrl(chapterId, sectionId);
      const button =
        url === undefined
          ? drawButton(
              {
                label: 'Read',
                style: 'secondary',
                call: document
                  ? { command: 'learn', args: { action: 'show', what: chapterId, passage: sectionId } }
                  : { command: 'explain', args: { concept: `${chapterId}#${sectionId}` } },
              },
              ids,
            )
          : ({ type: ComponentType.Button, style: ButtonStyle.Link, label: 'Open', url } as const);
      return {
        ...item(
          {
            type: ComponentType.Section,
            components: [{ type: ComponentType.TextDisplay, content }],
            accessory: button,
          },
          3,
        ),
        characters: content.length,
      };
    }),
  ],

  file: ({ path, name, bytes }, { fileBytes, filesRefused }) => {
    const title = `📄 **${escapeText(name)}** (${inWords(bytes)})`;
    if (filesRefused !== undefined) return [text(`${title}\n-# ${escapeText(filesRefused)}`)];
    if (bytes > fileBytes)
      return [
        text(`${title}\n-# Larger than the ${inWords(fileBytes)} this place takes; it lies on the bot's machine.`),
      ];
    const file: PageFile = { name: safeName(name), from: { kind: 'path', path } };
    return [{ ...item({ type: ComponentType.File, file: { url: `attachment://${file.name}` } }, 1), files: [file] }];
  },
};

const barCells = 16;

function drawBlock<K extends DrawnBlock['kind']>(
  block: Extract<DrawnBlock, { kind: K }>,
  options: DrawOptions,
  ids: CustomIds,
): readonly Item[] {
  return draw[block.kind as K](block, options, ids);
}

const styles: { readonly [S in Button['style']]: ButtonStyle.Primary | ButtonStyle.Secondary | ButtonStyle.Danger } = {
  primary: ButtonStyle.Primary,
  secondary: ButtonStyle.Secondary,
  danger: ButtonStyle.Danger,
};

function drawButton({ label, style, call, disabled }: Button, ids: CustomIds) {
  return {
    type: ComponentType.Button as const,
    style: styles[style],
    label: shorten(label, limits.button.labelCharacters),
    custom_id: ids.call(call),
    ...(disabled ? { disabled: true } : {}),
  };
}

/** Discord keeps letters, digits, dots, dashes and underscores of a file's name, and refers to what it kept. */
const safeName = (name: string) => name.replace(/[^A-Za-z0-9._-]/g, '_').slice(-100) || 'file';

function chunk<T>(all: readonly T[], size: number): readonly T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}

function inWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
