// What people do in Slack, and what they see: each act reaches the app as Slack would send it.
import { createForms, optionsOf, type SlackForms } from './slack-server-forms.ts';
import type { SlackLink } from './slack-server-link.ts';
import { type MethodContext, toFile } from './slack-server-method.ts';
import { readMessage } from './slack-server-methods.ts';
import type { Fields } from './slack-server-rules.ts';
import type { SlackWeb } from './slack-server-web.ts';
import {
  type Channel,
  fieldsOf,
  isFields,
  type Message,
  newMessage,
  type Person,
  readBlocks,
  type UploadedFile,
  words,
} from './slack-server-world.ts';

export interface SlackPeople extends SlackForms {
  say(
    person: Person,
    channel: Channel,
    text: string,
    options?: { readonly threadTs?: string; readonly files?: readonly UploadedFile[]; readonly ts?: string },
  ): Promise<Message>;
  slash(person: Person, channel: Channel, text: string): Promise<Fields | undefined>;
  shortcut(person: Person, callbackId: string): Promise<Fields | undefined>;
  messageShortcut(person: Person, callbackId: string, message: Message): Promise<Fields | undefined>;
  /** Presses the newest button with this label that the person sees, in a message or at the given place. */
  press(person: Person, label: string, options?: { readonly in?: Message | 'home' }): Promise<Fields | undefined>;
  /** Chooses the option with this label, of the newest select that has it, in a message or in App Home. */
  choose(person: Person, label: string, options?: { readonly in?: 'home' }): Promise<Fields | undefined>;
  openHome(person: Person): Promise<void>;
  /** Opens the app's own view, as agents have it. */
  openMessages(person: Person): Promise<void>;
  /** Begins a conversation in the view that apps had before. */
  startAssistant(person: Person): Promise<Message>;
  /** Runs a workflow step of the app. @returns its execution id. */
  runFunction(person: Person, callbackId: string, inputs: Fields): Promise<string>;
  upload(name: string, content: string): UploadedFile;
  /** What this person sees of a channel, oldest first. */
  read(person: Person, channel: Channel): string;
  home(person: Person): string;
}

export interface SlackPeopleOptions {
  readonly context: MethodContext;
  readonly sendEvent: SlackLink['sendEvent'];
  readonly sendInteraction: SlackLink['sendInteraction'];
  readonly newResponseUrl: SlackWeb['newResponseUrl'];
  readonly botToken: string;
  /** How long a trigger id serves. */
  readonly triggerMs: number;
}

export function createSlackPeople(options: SlackPeopleOptions): SlackPeople {
  const { context, sendEvent, sendInteraction, newResponseUrl, botToken, triggerMs } = options;
  const { world, nowMs } = context;

  const base = (person: Person) => ({
    token: 'verification',
    api_app_id: world.appId,
    team: {
      id: world.teamId,
      domain: 'team',
      ...(world.enterpriseId === undefined ? {} : { enterprise_id: world.enterpriseId }),
    },
    user: {
      id: person.id,
      username: person.name.toLowerCase(),
      name: person.name.toLowerCase(),
      team_id: world.teamId,
    },
    enterprise: world.enterpriseId === undefined ? null : { id: world.enterpriseId, name: 'Org' },
    is_enterprise_install: world.enterpriseId !== undefined,
  });

  const visible = (person: Person, message: Message) =>
    !message.deleted && (message.visibleTo === undefined || message.visibleTo === person.id);

  function toPayload(message: Message): Fields {
    return {
      type: 'message',
      user: message.user,
      ...(message.user === world.botUserId ? { bot_id: world.botId, app_id: world.appId } : {}),
      ts: message.ts,
      text: message.text,
      blocks: message.blocks,
      team: world.teamId,
      ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
      ...(message.metadata === undefined ? {} : { metadata: message.metadata }),
      ...(message.files.length === 0 ? {} : { files: message.files.map((file) => toFile(file, context.baseUrl())) }),
    };
  }

  function elementsOf(blocks: readonly Fields[]): readonly { block: Fields; element: Fields }[] {
    return blocks.flatMap((block) => [
      ...fieldsOf(block.elements).map((element) => ({ block, element })),
      ...[block.accessory, block.element].filter(isFields).map((element) => ({ block, element })),
    ]);
  }

  const labelOf = (element: Fields) => (isFields(element.text) ? words(element.text.text) : '');
  function act(person: Person, message: Message, block: Fields, action: Fields) {
    const channel = world.channels.get(message.channel);
    const ephemeral = message.visibleTo !== undefined;
    return sendInteraction('interactive', {
      type: 'block_actions',
      ...base(person),
      container: {
        type: 'message',
        message_ts: message.ts,
        channel_id: message.channel,
        is_ephemeral: ephemeral,
        ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
      },
      trigger_id: newTrigger(person),
      channel: { id: message.channel, name: channel?.name },
      ...(ephemeral ? {} : { message: toPayload(message) }),
      state: { values: {} },
      response_url: newResponseUrl(message.channel, person.id, message.threadTs),
      actions: [{ block_id: block.block_id, action_ts: world.nextTs(), ...action }],
    });
  }

  const selected = ({ action_id, type }: Fields, option: Fields | undefined) => ({
    action_id,
    type,
    selected_option: option,
  });

  /** One box pressed: on where it was off, off where it was on. */
  function toggled({ action_id, type, initial_options }: Fields, option: Fields | undefined) {
    const on = fieldsOf(initial_options);
    const others = on.filter((one) => one.value !== option?.value);
    return { action_id, type, selected_options: others.length < on.length ? others : [...on, option] };
  }

  function actAtHome(
    person: Person,
    label: string,
    wanted: (element: Fields) => boolean,
    actionOf: (element: Fields) => Fields,
  ) {
    const home = world.homes.get(person.id) ?? {};
    const found = elementsOf(fieldsOf(home.blocks)).find(({ element }) => wanted(element));
    if (found === undefined) throw new Error(`nothing in App Home is called ${label}`);
    return sendInteraction('interactive', {
      type: 'block_actions',
      ...base(person),
      container: { type: 'view', view_id: `VH${person.id}` },
      trigger_id: newTrigger(person),
      view: { ...home, id: `VH${person.id}`, hash: 'h' },
      actions: [{ block_id: found.block.block_id, action_ts: world.nextTs(), ...actionOf(found.element) }],
    });
  }

  function find(person: Person, wanted: (element: Fields) => boolean, where?: Message) {
    const messages = where === undefined ? world.messages.toReversed() : [where];
    for (const message of messages) {
      if (!visible(person, message) || !world.channels.get(message.channel)?.members.has(person.id)) continue;
      const found = elementsOf(message.blocks).find(({ element }) => wanted(element));
      if (found !== undefined) return { message, ...found };
    }
    return undefined;
  }

  function newTrigger(user: Person): string {
    const id = `${world.nextId('')}.${world.teamId}`;
    context.triggers.set(id, { user: user.id, expiresMs: nowMs() + triggerMs, used: false });
    return id;
  }

  return {
    async say(person, channel, text, { threadTs, files = [], ts } = {}) {
      const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
      const written = escaped
        .replaceAll('@finetutor', `<@${world.botUserId}>`)
        .replace(/https?:\/\/[^\s)&]+/g, (found) => `<${found}>`);
      const known = ts === undefined ? undefined : world.find(channel.id, ts);
      const message =
        known ??
        newMessage({ ts: ts ?? world.nextTs(), channel: channel.id, user: person.id, threadTs, text: written, files });
      if (known === undefined) world.messages.push(message);
      const root = threadTs === undefined ? undefined : world.find(channel.id, threadTs);
      const event = {
        user: person.id,
        ts: message.ts,
        client_msg_id: message.ts,
        text: written,
        team: world.teamId,
        channel: channel.id,
        event_ts: message.ts,
        ...(threadTs === undefined ? {} : { thread_ts: threadTs, parent_user_id: root?.user }),
        ...(files.length === 0 ? {} : { files: files.map((file) => toFile(file, context.baseUrl())) }),
      };
      const sent: Promise<void>[] = [];
      if (channel.members.has(world.botUserId)) {
        if (!channel.isIm && written.includes(`<@${world.botUserId}>`)) {
          sent.push(sendEvent({ type: 'app_mention', ...event }, { eventId: `EvA${message.ts}` }));
        }
        sent.push(
          sendEvent(
            {
              type: 'message',
              channel_type: channel.isIm ? 'im' : 'channel',
              ...(files.length === 0 ? {} : { subtype: 'file_share' }),
              ...event,
            },
            { eventId: `EvM${message.ts}` },
          ),
        );
      }
      await Promise.all(sent);
      return message;
    },
    slash: (person, channel, text) =>
      sendInteraction('slash_commands', {
        token: 'verification',
        team_id: world.teamId,
        team_domain: 'team',
        ...(world.enterpriseId === undefined ? {} : { enterprise_id: world.enterpriseId, enterprise_name: 'Org' }),
        channel_id: channel.id,
        channel_name: channel.name,
        user_id: person.id,
        user_name: person.name.toLowerCase(),
        command: '/finetutor',
        text: text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
        api_app_id: world.appId,
        is_enterprise_install: world.enterpriseId === undefined ? 'false' : 'true',
        response_url: newResponseUrl(channel.id, person.id),
        trigger_id: newTrigger(person),
      }),
    shortcut: (person, callbackId) =>
      sendInteraction('interactive', {
        type: 'shortcut',
        ...base(person),
        action_ts: world.nextTs(),
        callback_id: callbackId,
        trigger_id: newTrigger(person),
      }),
    messageShortcut: (person, callbackId, message) =>
      sendInteraction('interactive', {
        type: 'message_action',
        ...base(person),
        action_ts: world.nextTs(),
        callback_id: callbackId,
        trigger_id: newTrigger(person),
        response_url: newResponseUrl(message.channel, person.id),
        channel: { id: message.channel, name: world.channels.get(message.channel)?.name },
        message_ts: message.ts,
        message: toPayload(message),
      }),
    async press(person, label, { in: where } = {}) {
      const isButton = (element: Fields) => element.type === 'button' && labelOf(element) === label;
      if (where === 'home') return actAtHome(person, label, isButton, (element) => element);
      const found = find(person, isButton, where);
      if (found === undefined) throw new Error(`no button is called ${label}`);
      return act(person, found.message, found.block, found.element);
    },
    async choose(person, label, { in: where } = {}) {
      const option = (element: Fields) =>
        optionsOf(element).find((one) => isFields(one.text) && words(one.text.text) === label);
      if (where === 'home') {
        const offers = (element: Fields) => option(element) !== undefined;
        return actAtHome(person, label, offers, (element) =>
          element.type === 'checkboxes' ? toggled(element, option(element)) : selected(element, option(element)),
        );
      }
      const found = find(person, (element) => element.type === 'static_select' && option(element) !== undefined);
      if (found === undefined) throw new Error(`no option is called ${label}`);
      return act(person, found.message, found.block, selected(found.element, option(found.element)));
    },
    ...createForms({ context, sendInteraction, base, newTrigger }),
    openHome: (person) =>
      sendEvent({
        type: 'app_home_opened',
        user: person.id,
        channel: world.im(person.id).id,
        tab: 'home',
        event_ts: world.nextTs(),
      }),
    openMessages: (person) =>
      sendEvent({
        type: 'app_home_opened',
        user: person.id,
        channel: world.im(person.id).id,
        tab: 'messages',
        event_ts: world.nextTs(),
      }),
    async startAssistant(person) {
      const channel = world.im(person.id);
      const root = newMessage({
        ts: world.nextTs(),
        channel: channel.id,
        user: world.botUserId,
        text: 'New Assistant Thread',
      });
      world.messages.push(root);
      await sendEvent({
        type: 'assistant_thread_started',
        assistant_thread: { user_id: person.id, context: {}, channel_id: channel.id, thread_ts: root.ts },
        event_ts: world.nextTs(),
      });
      return root;
    },
    async runFunction(person, callbackId, inputs) {
      const executionId = world.nextId('Fx');
      context.executions.set(executionId, { outcome: undefined });
      await sendEvent({
        type: 'function_executed',
        function: {
          id: 'Fn0001',
          callback_id: callbackId,
          title: callbackId,
          description: '',
          type: 'app',
          input_parameters: [],
          output_parameters: [],
          app_id: world.appId,
          date_created: 0,
          date_updated: 0,
          date_deleted: 0,
        },
        inputs: { user_id: person.id, ...inputs },
        function_execution_id: executionId,
        workflow_execution_id: world.nextId('Wx'),
        event_ts: world.nextTs(),
        bot_access_token: botToken,
      });
      return executionId;
    },
    upload(name, content) {
      const file: UploadedFile = {
        id: world.nextId('F'),
        name,
        bytes: Buffer.byteLength(content),
        content: Buffer.from(content),
        complete: true,
        deleted: false,
        altText: undefined,
      };
      world.files.set(file.id, file);
      return file;
    },
    read: (person, channel) =>
      world.messages
        .filter((message) => message.channel === channel.id && visible(person, message))
        .map((message) => (message.user === world.botUserId ? readMessage(message) : ''))
        .join('\n'),
    home: (person) => readBlocks(fieldsOf(world.homes.get(person.id)?.blocks)),
  };
}
