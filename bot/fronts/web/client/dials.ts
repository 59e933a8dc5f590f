// Controls of a live demo: turned by slider or list, sent a moment after the last turn, one change of a message at a time.
import type { Call } from '../wire.ts';

/** Long enough to pass over the steps on the way, short enough to feel at once. */
const settleMs = 140;

export function wireDials(act: (call: Call, origin: HTMLElement) => Promise<void>): void {
  const waiting = new Map<string, { readonly turned: Map<string, string>; timer: ReturnType<typeof setTimeout> }>();

  function turn(message: HTMLElement, argument: string, value: string): void {
    const before = waiting.get(message.id);
    if (before !== undefined) clearTimeout(before.timer);
    const turned = (before?.turned ?? new Map<string, string>()).set(argument, value);
    waiting.set(message.id, { turned, timer: setTimeout(() => send(message.id), settleMs) });
  }

  function send(messageId: string): void {
    const one = waiting.get(messageId);
    const message = document.getElementById(messageId);
    const dial = message?.querySelector<HTMLElement>('.dial');
    if (one === undefined || message === null || !dial) return;
    if (message.getAttribute('aria-busy') === 'true') {
      one.timer = setTimeout(() => send(messageId), settleMs);
      return;
    }
    waiting.delete(messageId);
    // Read now: the message may have changed since the control was turned.
    const call: Call = JSON.parse(dial.dataset.call ?? '');
    void act({ ...call, args: { ...call.args, ...Object.fromEntries(one.turned) } }, message);
  }

  document.addEventListener('input', ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.type !== 'range') return;
    const label = chosen(target)?.label ?? '';
    target.setAttribute('aria-valuetext', label);
    const output = target.parentElement?.querySelector('output');
    if (output) output.textContent = label;
  });
  document.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return;
    const dial = target.closest<HTMLElement>('.dial');
    const message = target.closest<HTMLElement>('article');
    const value = target instanceof HTMLInputElement ? chosen(target)?.value : target.value;
    if (dial === null || message === null || value === undefined) return;
    turn(message, dial.dataset.argument ?? '', value);
  });
}

function chosen(slider: HTMLInputElement): { readonly value: string; readonly label: string } | undefined {
  const options: { value: string; label: string }[] = JSON.parse(
    slider.closest<HTMLElement>('.dial')?.dataset.options ?? '[]',
  );
  return options[Number(slider.value)];
}
