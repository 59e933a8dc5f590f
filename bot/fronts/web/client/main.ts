// The page's script: wires the conversation, the composer and the live stream together.
import type { Call, PageData, Submission } from '../wire.ts';
import { keepChat, wireChats } from './chats.ts';
import { createComposer } from './composer.ts';
import { wireDials } from './dials.ts';
import { part } from './dom.ts';
import { problemOf, readForm, showChosenFile, showFittingFields, showProblem } from './forms.ts';
import { createLog } from './log.ts';
import { wireSchemeToggle } from './scheme.ts';
import { upload } from './send.ts';
import { openStream } from './stream.ts';
import { createWork } from './work.ts';

wireSchemeToggle(part('theme', HTMLButtonElement));
const pageData = document.getElementById('page-data');
if (pageData !== null) openChat(JSON.parse(pageData.textContent ?? ''));

function openChat(data: PageData): void {
  const log = createLog();
  const work = createWork();
  const notice = part('notice', HTMLElement);
  const composer = createComposer(data, say, (problem) => {
    notice.textContent = problem;
    notice.dataset.kind = 'problem';
    notice.hidden = false;
  });
  const base = () => ({ key: crypto.randomUUID(), chat: data.chat, uploads: {} });

  async function say(text: string, files: readonly File[]): Promise<void> {
    const start = base();
    log.expect(
      start.key,
      text,
      files.map(({ name }) => name),
    );
    try {
      const uploads = await uploadAll(new Map(files.map((file, index) => [`file${index}`, file])));
      await work.send({ ...start, uploads, kind: 'message', text }, undefined);
      keepChat(data.chat, text || 'A file');
    } catch (error) {
      log.forget(start.key);
      composer.restore(text, files);
      work.say(error);
    }
  }

  async function uploadAll(files: ReadonlyMap<string, File>): Promise<{ [field: string]: string }> {
    const uploads: { [field: string]: string } = {};
    for (const [field, file] of files) uploads[field] = await upload(file, data.uploadLimitBytes);
    return uploads;
  }

  async function act(call: Call, origin: HTMLElement): Promise<void> {
    if (origin.getAttribute('aria-busy') === 'true') return;
    const submission: Submission = { ...base(), kind: 'action', call };
    await work.send(submission, origin).catch(work.say);
  }

  async function sendForm(form: HTMLFormElement): Promise<void> {
    if (form.getAttribute('aria-busy') === 'true') return;
    const filled = readForm(form);
    if (filled === undefined) return;
    form.setAttribute('aria-busy', 'true');
    const place = form.querySelector('.form-problem');
    if (place instanceof HTMLElement) place.hidden = true;
    try {
      const uploads = await uploadAll(filled.files);
      const call: Call = JSON.parse(form.dataset.call ?? '');
      await work.send({ ...base(), uploads, kind: 'form', call, values: filled.values }, form);
      composer.focus();
    } catch (error) {
      form.removeAttribute('aria-busy');
      if (place instanceof HTMLElement && error instanceof Error) {
        place.textContent = 'hint' in error ? `${error.message} ${error.hint}` : error.message;
        place.hidden = false;
      }
    }
  }

  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target : undefined;
    const button = target?.closest('button');
    const link = target?.closest<HTMLAnchorElement>('.log a[href^="/guide"]');
    if (link) link.target = '_blank';
    if (!button) return;
    if (button.dataset.send !== undefined) void say(button.dataset.send, []);
    else if (button.dataset.choose !== undefined) {
      const block = button.closest<HTMLElement>('.select');
      const select = document.getElementById(button.dataset.choose);
      if (block === null || !(select instanceof HTMLSelectElement)) return;
      const call: Call = JSON.parse(block.dataset.call ?? '');
      void act({ ...call, args: { ...call.args, [block.dataset.argument ?? '']: select.value } }, button);
    } else if (button.dataset.call !== undefined) void act(JSON.parse(button.dataset.call), button);
  });
  wireDials(act);
  document.addEventListener('submit', (event) => {
    if (!(event.target instanceof HTMLFormElement) || !event.target.matches('.form')) return;
    event.preventDefault();
    void sendForm(event.target);
  });
  document.addEventListener('change', (event) => {
    const control = event.target;
    if (!(control instanceof HTMLInputElement || control instanceof HTMLSelectElement)) return;
    if (control.form === null || !control.form.matches('.form')) return;
    if (control instanceof HTMLInputElement && control.type === 'file') showChosenFile(control);
    showFittingFields(control.form);
    showProblem(control, problemOf(control));
  });

  part('new-chat', HTMLButtonElement).addEventListener('click', async () => {
    const response = await fetch('/chats', { method: 'POST' }).catch(() => undefined);
    if (response?.ok) location.assign(`/chat/${(await response.json()).chat}`);
    else work.say(new Error('no new chat'));
  });
  wireChats(data.chat);

  openStream(data.chat, data.after, {
    message(update) {
      const added = log.put(update);
      if (update.answers !== undefined) work.settled(update.answers);
      const form = added?.querySelector<HTMLElement>('form.form');
      const mine = update.answers !== undefined && work.sentHere(update.answers);
      if (form && mine && !composer.busy())
        form.querySelector<HTMLElement>('input:not(:disabled), select:not(:disabled)')?.focus({ preventScroll: true });
    },
    working: work.stillWorking,
    settled: work.settled,
    connected(yes) {
      document.body.classList.toggle('offline', !yes);
      if (!yes) {
        notice.textContent = 'Connection lost. Trying again…';
        notice.dataset.kind = 'offline';
        notice.hidden = false;
      } else if (!notice.hidden && notice.dataset.kind === 'offline') {
        notice.textContent = 'Connected again.';
        notice.dataset.kind = 'online';
        setTimeout(() => {
          if (notice.dataset.kind === 'online') notice.hidden = true;
        }, 2500);
      }
    },
  });
  window.scrollTo({ top: document.documentElement.scrollHeight });
  if (matchMedia('(hover: hover)').matches) composer.focus();
}
