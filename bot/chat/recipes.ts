// Named ways to fine-tune: settings that go together, for people who would rather choose than tune. What is said besides counts.
import type { Block, Json } from './message.ts';

interface Recipe {
  /** One line, for who chooses. */
  readonly summary: string;
  /** By the names of the command's arguments. */
  readonly settings: { readonly [argument: string]: string | number };
}

const table = {
  'first-look': { summary: 'once through the data, to see that everything works', settings: { epochs: 1 } },
  thorough: {
    summary: 'up to ten times through the data; it ends by itself when it stops getting better',
    settings: { epochs: 10 },
  },
  'every-weight': {
    summary: 'every weight learns: for much data and a small model',
    settings: { method: 'full' },
  },
  gentle: {
    summary: 'every weight learns in small steps that keep what a pretrained model knows',
    settings: { method: 'full', learningRate: 0.00001 },
  },
  lora: {
    summary: 'small added matrices learn, the model stays as it is: little memory',
    settings: { method: 'lora', loraRank: 8 },
  },
  'lora-large': {
    summary: 'larger added matrices: more room to learn, for thousands of examples',
    settings: { method: 'lora', loraRank: 32 },
  },
  qlora: {
    summary: 'LoRA on weights of four bits: for models of texts that hardly fit into memory',
    settings: { method: 'qlora', loraRank: 16 },
  },
} as const satisfies { readonly [name: string]: Recipe };

export const recipes: { readonly [name: string]: Recipe } = table;

export const recipeNames = Object.keys(table) as (keyof typeof table)[];

const settingsOf = (name: Json | undefined) =>
  typeof name === 'string' && Object.hasOwn(recipes, name) ? (recipes[name]?.settings ?? {}) : {};

/** Arguments with what the recipe they name adds. */
export function withRecipe(given: { readonly [argument: string]: Json }): { readonly [argument: string]: Json } {
  return { ...settingsOf(given.recipe), ...given };
}

/** A form that begins with what the recipe says. */
export function preparedBy(name: string | undefined, form: Block): Block {
  if (form.kind !== 'form') return form;
  const settings = settingsOf(name);
  return {
    ...form,
    fields: form.fields.map((field) => {
      const value = settings[field.id];
      if (value === undefined) return field;
      if (field.kind === 'number') return { ...field, value: Number(value) };
      return field.kind === 'text' || field.kind === 'choice' ? { ...field, value: String(value) } : field;
    }),
  };
}
