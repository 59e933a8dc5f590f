// Reads what a person gave for a demo's controls: typed words or a chosen value, checked against the control's bounds.
import { closest } from 'fastest-levenshtein';
import { UserError } from '../errors.ts';
import type { AnyValues, Control, Controls } from './demo.ts';

/**
 * @param given by control name (in any case, with or without hyphens); what is left out takes its standard value.
 * @returns a value for every control.
 * @throws UserError naming the control, the value and its bounds.
 */
export function readValues(controls: Controls, given: { readonly [name: string]: unknown }, demo: string): AnyValues {
  const names = Object.keys(controls);
  const byLooseName = new Map(names.map((name) => [loose(name), name]));
  const found = new Map<string, unknown>();
  for (const [written, value] of Object.entries(given)) {
    const name = byLooseName.get(loose(written));
    if (name === undefined) {
      throw new UserError(
        `The demo ${demo} has no control “${written}”; the nearest is ${closest(written, names)}.`,
        `Its controls: ${names.map((each) => describeControl(each, controls[each])).join('; ')}.`,
      );
    }
    found.set(name, value);
  }
  return Object.fromEntries(
    Object.entries(controls).map(([name, control]) => {
      const value = found.get(name);
      return [name, value === undefined || value === '' ? control.standard : readValue(name, control, value)];
    }),
  );
}

const loose = (name: string) => name.toLowerCase().replace(/[-_ ]/g, '');

/** `degree: a whole number from 0 to 15`. */
function describeControl(name: string, control: Control | undefined): string {
  return control === undefined ? name : `${name}: ${allowed(control)}`;
}

/** What a control takes, in words. */
function allowed(control: Control): string {
  switch (control.kind) {
    case 'number':
      return `a ${control.whole ? 'whole ' : ''}number from ${control.min} to ${control.max}`;
    case 'choice':
      return `one of ${Object.keys(control.options).join(', ')}`;
    case 'text':
      return `a text of at most ${control.maxLength} characters`;
  }
}

function readValue(name: string, control: Control, given: unknown): number | string {
  const refuse = (shown: string) =>
    new UserError(
      `${name} can't be ${shown}: it must be ${allowed(control)}.`,
      `For example ${name}=${example(control)}`,
    );
  const written = typeof given === 'number' ? String(given) : given;
  if (typeof written !== 'string') throw refuse(JSON.stringify(given) ?? 'that');
  const shown = written.length > 40 ? `${written.slice(0, 40)}…` : written;
  switch (control.kind) {
    case 'number': {
      const number = Number(written.trim().replace(/^(\d+),(\d+)$/, '$1.$2'));
      const fits = number >= control.min && number <= control.max && (!control.whole || Number.isInteger(number));
      if (written.trim() === '' || !fits) throw refuse(shown);
      return number;
    }
    case 'choice': {
      const options = Object.entries(control.options);
      const value = options.find(([key, label]) => loose(key) === loose(written) || loose(label) === loose(written));
      if (value === undefined) throw refuse(shown);
      return value[0];
    }
    case 'text': {
      if (written.length > control.maxLength) throw refuse(`${written.length} characters long`);
      return written.trim() === '' ? control.standard : written.trim();
    }
  }
}

function example(control: Control): string {
  return control.kind === 'text' ? `"${control.standard.slice(0, 30)}"` : String(control.standard);
}
