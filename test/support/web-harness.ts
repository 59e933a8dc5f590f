// A person at the web page, without a browser: reads the page as it is served and sends what its script would send.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Element, Root } from 'hast';
import { fromHtml } from 'hast-util-from-html';
import { select, selectAll } from 'hast-util-select';
import { toText } from 'hast-util-to-text';
import { z } from 'zod';
import type { Call, FieldValue, Place } from '../../bot/chat/message.ts';
import type { Handle } from '../../bot/fronts/front.ts';
import { createWebFront, type WebFrontOptions } from '../../bot/fronts/web/front.ts';
import { conversationOf } from '../../bot/fronts/web/session.ts';
import type { StreamEvents, Submission } from '../../bot/fronts/web/wire.ts';
import { createFakeEngine } from './fake-engine.ts';
import type { FrontHarness, SentFile } from './front-contract.ts';

/** The cookie and the requests of one browser. */
export interface Visitor {
  readonly cookie: string;
  readonly personId: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(
    path: string,
    body: string | Uint8Array<ArrayBuffer> | ReadableStream,
    headers?: Record<string, string>,
  ): Promise<Response>;
  submit(submission: Partial<Submission> & { readonly kind: Submission['kind'] }): Promise<Response>;
  upload(file: SentFile): Promise<string>;
  page(): Promise<Root>;
}

export interface WebHarness extends FrontHarness {
  readonly dataDir: string;
  readonly address: () => string;
  readonly me: () => Visitor;
  visit(): Promise<Visitor>;
}

export async function createWebHarness(
  engine: WebFrontOptions['engine'] = createFakeEngine(),
  options: Partial<WebFrontOptions> = {},
): Promise<WebHarness> {
  const dataDir = await mkdtemp(join(tmpdir(), 'finetutor-web-'));
  const log = { info: () => {}, error: (fields: object, message: string) => console.error(message, fields) };
  const create = (port: number) =>
    createWebFront({ port, host: '127.0.0.1', engine, dataDir, log, now: () => new Date(), ...options });
  let current = create(0);
  let handling: Handle = async () => {};
  let visitor: Visitor | undefined;
  let files: SentFile[] = [];
  const personId = randomUUID().replaceAll('-', '').slice(0, 22);

  const me = () => {
    visitor ??= createVisitor(() => current.address, `finetutor_person=${personId}`);
    return visitor;
  };
  async function find(selector: string, label: string): Promise<Element> {
    const found = selectAll(selector, await me().page()).filter((one) => toText(one).trim() === label);
    const last = found.at(-1);
    if (last === undefined) throw new Error(`nothing on the page is called ${label}`);
    return last;
  }

  return {
    dataDir,
    address: () => current.address,
    me,
    visit: async () =>
      createVisitor(() => current.address, `finetutor_person=${randomUUID().replaceAll('-', '').slice(0, 22)}`),
    get front() {
      return current;
    },
    place: { front: 'web', workspaceId: 'local', conversationId: conversationOf(personId, 'home') } satisfies Place,
    async start(handle) {
      handling = handle;
      await current.start(handle);
    },
    async say(text, { key } = {}) {
      const uploads: { [field: string]: string } = {};
      for (const [index, file] of files.entries()) uploads[`file${index}`] = await me().upload(file);
      files = [];
      await accepted(me().submit({ kind: 'message', text, uploads, ...(key === undefined ? {} : { key }) }));
    },
    async attach(file) {
      files.push(file);
    },
    async press(label) {
      const button = await find('button[data-call]', label);
      if (button.properties.disabled) throw new Error(`${label} is disabled`);
      await accepted(me().submit({ kind: 'action', call: callOf(button) }));
    },
    async choose(label) {
      const page = await me().page();
      const [block, option] =
        selectAll('.select', page)
          .flatMap((one) => selectAll('option', one).map((choice) => [one, choice] as const))
          .findLast(([, choice]) => toText(choice).trim().startsWith(label)) ?? [];
      if (block === undefined || option === undefined) throw new Error(`no option is called ${label}`);
      const call = callOf(block);
      const args = { ...call.args, [String(block.properties.dataArgument)]: String(option.properties.value) };
      await accepted(me().submit({ kind: 'action', call: { ...call, args } }));
    },
    async submit(submitLabel, filled) {
      const form = selectAll('form.form', await me().page()).findLast(
        (one) => toText(select('[type=submit]', one) ?? one).trim() === submitLabel,
      );
      if (form === undefined) throw new Error(`no form is sent by ${submitLabel}`);
      const values: { [field: string]: FieldValue } = {};
      const uploads: { [field: string]: string } = {};
      for (const field of selectAll('.field', form)) {
        const label = toText(select('label[for], legend', field) ?? field)
          .replace(/ optional$/, '')
          .trim();
        const given = filled[label];
        const id = String(field.properties.dataField);
        if (typeof given === 'object' && 'name' in given) uploads[id] = await me().upload(given);
        else if (select('[type=checkbox]', field)) {
          const ticked = selectAll('input', field).filter((box) => box.properties.checked);
          values[id] =
            given === undefined
              ? ticked.map((box) => String(box.properties.value))
              : [...given].map((one) => valueOfOption(field, one));
        } else if (typeof given === 'string') values[id] = valueOfOption(field, given);
        else {
          const initial = initialValue(field);
          if (initial !== undefined) values[id] = initial;
        }
      }
      await accepted(me().submit({ kind: 'form', call: callOf(form), values, uploads }));
    },
    async transcript() {
      return read(select('#log', await me().page()));
    },
    othersPress: () => Promise.reject(new Error('each browser has conversations of its own')),
    othersTranscript: () => Promise.reject(new Error('each browser has conversations of its own')),
    async restart() {
      const { port } = new URL(current.address);
      await current.stop();
      current = create(Number(port));
      await current.start(handling);
    },
    async stop() {
      await current.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function createVisitor(address: () => string, cookie: string): Visitor {
  const get: Visitor['get'] = (path, headers = {}) =>
    fetch(address() + path, { headers: { cookie, ...headers }, redirect: 'manual' });
  const post: Visitor['post'] = (path, body, headers = {}) =>
    fetch(address() + path, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { cookie, origin: address(), ...headers },
    });
  return {
    cookie,
    personId: cookie.slice(cookie.indexOf('=') + 1),
    get,
    post,
    submit: (submission) =>
      post('/submissions', JSON.stringify({ key: randomUUID(), chat: 'home', uploads: {}, ...submission }), {
        'content-type': 'application/json',
      }),
    async upload({ name, content }) {
      const response = await post(`/uploads?name=${encodeURIComponent(name)}`, content);
      if (response.status !== 201) throw new Error(`upload refused: ${await response.text()}`);
      return z.object({ id: z.string() }).parse(await response.json()).id;
    },
    page: async () => fromHtml(await (await get('/')).text()),
  };
}

async function accepted(sent: Promise<Response>): Promise<void> {
  const response = await sent;
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
}

const callOf = (element: Element): Call => JSON.parse(String(element.properties.dataCall));

function valueOfOption(field: Element, label: string): string {
  const card = selectAll('.choice-card', field).find((one) => toText(select('.choice-label', one) ?? one) === label);
  const option = card ? select('input', card) : selectAll('option', field).find((one) => toText(one) === label);
  return option ? String(option.properties.value) : label;
}

function initialValue(field: Element): string | undefined {
  if (field.properties.hidden || select('[type=file]', field)) return undefined;
  const chosen = select('input:checked, option:checked, input:not([type=radio])', field);
  return chosen ? String(chosen.properties.value ?? '') : undefined;
}

/** Words in reading order, with the alt text of pictures where they stand. */
function read(element: Element | undefined): string {
  if (element === undefined) return '';
  const image = selectAll('img', element);
  for (const one of image) {
    one.tagName = 'span';
    one.children = [{ type: 'text', value: String(one.properties.alt ?? '') }];
  }
  for (const one of selectAll('option', element)) one.children.push({ type: 'text', value: ' ' });
  return toText(element);
}

export interface StreamEvent<Name extends keyof StreamEvents = keyof StreamEvents> {
  readonly event: Name;
  readonly id: string | undefined;
  readonly data: StreamEvents[Name];
}

/** Reads the live stream until `enough`, then hangs up. */
export async function listen(
  visitor: Visitor,
  enough: (events: readonly StreamEvent[]) => boolean,
  { after = 0, headers = {} }: { after?: number; headers?: Record<string, string> } = {},
): Promise<readonly StreamEvent[]> {
  const response = await visitor.get(`/events?chat=home&after=${after}`, headers);
  if (response.body === null || response.status !== 200) throw new Error(`no stream: ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const events: StreamEvent[] = [];
  let rest = '';
  while (!enough(events)) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = (rest + value).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const fields = new Map(
        part.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      );
      events.push({
        event: fields.get('event') as keyof StreamEvents,
        id: fields.get('id'),
        data: JSON.parse(fields.get('data') ?? 'null'),
      });
    }
  }
  await reader.cancel();
  return events;
}
