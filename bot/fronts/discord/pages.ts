// Components → messages: as many in each as Discord allows, in a box where they are a card.
import {
  type APIComponentInContainer,
  type APIMessageTopLevelComponent,
  ComponentType,
  SeparatorSpacingSize,
} from 'discord.js';
import { splitMarkdown } from '../split.ts';
import { limits } from './limits.ts';

/** A file a page refers to as `attachment://name`. */
export interface PageFile {
  readonly name: string;
  readonly description?: string;
  readonly from: { readonly kind: 'picture'; readonly id: string } | { readonly kind: 'path'; readonly path: string };
}

export interface Page {
  readonly components: APIMessageTopLevelComponent[];
  readonly files: readonly PageFile[];
}

/** The house colour, for the edge of cards. */
const accent = 0x5b6cff;

/** A component with what it counts for: components in all, characters of text, files. */
export interface Item {
  readonly component: APIComponentInContainer;
  readonly components: number;
  readonly characters: number;
  readonly files: readonly PageFile[];
}

function toPage(items: readonly Item[], boxed: boolean): Page {
  const components = items.map(({ component }) => component);
  return {
    components: boxed ? [{ type: ComponentType.Container, accent_color: accent, components }] : components,
    files: items.flatMap(({ files }) => files),
  };
}

/** As many items a page as Discord allows; `overhead` is the components a page has besides. */
function paginate(items: readonly Item[], overhead: number): readonly (readonly Item[])[] {
  const pages: Item[][] = [];
  let room = { components: 0, characters: 0, files: 0 };
  for (const item of items) {
    const fits =
      item.components <= room.components && item.characters <= room.characters && item.files.length <= room.files;
    if (!fits) {
      pages.push([]);
      room = {
        components: limits.message.components - overhead,
        characters: limits.message.textCharacters,
        files: limits.message.files,
      };
    }
    pages.at(-1)?.push(item);
    room.components -= item.components;
    room.characters -= item.characters;
    room.files -= item.files.length;
  }
  // A line with nothing below or above it divides nothing.
  return pages.map((page) => page.filter((item, at) => !isLine(item) || (at > 0 && at < page.length - 1)));
}

const isLine = ({ component }: Item) => component.type === ComponentType.Separator;

/** @param boxed a card is drawn in a box. @returns at least one page for at least one item. */
export function layOutPages(items: readonly Item[], boxed: boolean): readonly Page[] {
  return paginate(items, boxed ? 1 : 0).map((page) => toPage(page, boxed));
}

export const item = (component: APIComponentInContainer, components: number): Item => ({
  component,
  components,
  characters: 0,
  files: [],
});

export const text = (content: string): Item => ({
  ...item({ type: ComponentType.TextDisplay, content }, 1),
  characters: content.length,
});

export const texts = (markdown: string) => splitMarkdown(markdown, limits.message.textCharacters).map(text);

export const line = item({ type: ComponentType.Separator, divider: true, spacing: SeparatorSpacingSize.Small }, 1);
