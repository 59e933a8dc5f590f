// Forms in replies: fields that depend on others, checks before anything is sent, problems said beside their field.
import type { FieldValue } from '../wire.ts';
import { formatBytes } from './dom.ts';

type Control = HTMLInputElement | HTMLSelectElement;

export interface Filled {
  readonly values: { readonly [field: string]: FieldValue };
  readonly files: ReadonlyMap<string, File>;
}

/** Shows the fields whose condition holds; hidden ones are disabled, so they neither send nor take the focus. */
export function showFittingFields(form: HTMLFormElement): void {
  // A field may depend on one that depends on another: in the order of the form each sees the final state above it.
  for (const field of form.querySelectorAll<HTMLElement>('[data-when-field]')) {
    const allowed: unknown = JSON.parse(field.dataset.whenIs ?? '[]');
    const value = new FormData(form).get(field.dataset.whenField ?? '');
    const shown = Array.isArray(allowed) && allowed.includes(value);
    field.hidden = !shown;
    for (const control of field.querySelectorAll<Control | HTMLFieldSetElement>('input, select, fieldset'))
      control.disabled = !shown;
  }
}

/** @returns what was filled in, or undefined after showing what is wrong and going to the first such field. */
export function readForm(form: HTMLFormElement): Filled | undefined {
  let first: Control | undefined;
  for (const control of form.querySelectorAll<Control>('input:not(:disabled), select:not(:disabled)')) {
    const problem = problemOf(control);
    showProblem(control, problem);
    if (problem !== '') first ??= control;
  }
  if (first !== undefined) {
    first.focus();
    return undefined;
  }
  const values: { [field: string]: FieldValue } = {};
  const files = new Map<string, File>();
  const filled = new FormData(form);
  const boxes = form.querySelectorAll<HTMLInputElement>('fieldset:not(:disabled) input[type=checkbox]');
  for (const name of new Set([...boxes].map((box) => box.name))) {
    values[name] = filled.getAll(name).filter((value) => typeof value === 'string');
    filled.delete(name);
  }
  for (const [name, value] of filled) {
    if (typeof value === 'string') values[name] = value;
    else if (value.name !== '') files.set(name, value);
  }
  return { values, files };
}

export function showProblem(control: Control, problem: string): void {
  const field = control.closest('.field');
  const place = field?.querySelector('.problem');
  if (place instanceof HTMLElement && place.textContent !== problem) place.textContent = problem;
  if (problem === '') control.removeAttribute('aria-invalid');
  else control.setAttribute('aria-invalid', 'true');
}

export function problemOf(control: Control): string {
  const { validity } = control;
  if (control instanceof HTMLInputElement) {
    if (control.type === 'radio') return '';
    if (control.type === 'checkbox') return hasChosenTooFew(control) ? 'Choose at least one.' : '';
    const file = control.files?.[0];
    const maxBytes = Number(control.dataset.maxBytes);
    if (file !== undefined && file.size > maxBytes)
      return `“${file.name}” has ${formatBytes(file.size)}; at most ${formatBytes(maxBytes)} can be sent.`;
    if (validity.badInput) return 'This is not a number.';
    if (validity.rangeUnderflow || validity.rangeOverflow)
      return `${control.value} is out of range: from ${control.min} to ${control.max}.`;
    if (validity.stepMismatch) return `${control.value} is not a whole number.`;
  }
  return validity.valueMissing ? (control.type === 'file' ? 'Choose a file.' : 'This is needed.') : '';
}

function hasChosenTooFew(control: HTMLInputElement): boolean {
  const group = control.closest<HTMLFieldSetElement>('fieldset[data-least]');
  return group !== null && !group.disabled && group.querySelector('input:checked') === null;
}

/** Names the chosen file where the invitation stood. */
export function showChosenFile(input: HTMLInputElement): void {
  const text = input.parentElement?.querySelector('.drop-text');
  if (!(text instanceof HTMLElement)) return;
  text.dataset.invitation ??= text.textContent ?? '';
  const file = input.files?.[0];
  text.textContent = file === undefined ? text.dataset.invitation : `${file.name} · ${formatBytes(file.size)}`;
  input.parentElement?.classList.toggle('filled', file !== undefined);
}
