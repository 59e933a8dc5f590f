// What Slack accepts, written by hand from its documentation, apart from the product's own limits: the server refuses the rest.

export type Fields = { readonly [name: string]: unknown };
export type Surface = 'message' | 'modal' | 'home';

/** Why a payload is refused; each problem names the place and the rule. */
export type Problems = string[];

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @returns what is wrong with the blocks; empty: Slack takes them. */
export function checkBlocks(blocks: unknown, surface: Surface): Problems {
  const problems: Problems = [];
  if (!Array.isArray(blocks)) return ['blocks: must be an array'];
  const most = surface === 'message' ? 50 : 100;
  if (blocks.length > most) problems.push(`blocks: ${blocks.length}, at most ${most}`);
  const ids = new Set<string>();
  let markdownCharacters = 0;
  let tables = 0;
  blocks.forEach((block, index) => {
    const at = `blocks[${index}]`;
    if (!isFields(block)) {
      problems.push(`${at}: must be an object`);
      return;
    }
    const rule = blockRules[String(block.type)];
    if (rule === undefined) {
      problems.push(`${at}: unknown type ${String(block.type)}`);
      return;
    }
    if (!rule.surfaces.includes(surface)) problems.push(`${at}: ${String(block.type)} is not for a ${surface}`);
    allow(block, ['type', 'block_id', ...rule.fields], at, problems);
    text(block.block_id, 255, `${at}.block_id`, problems, { optional: true });
    if (typeof block.block_id === 'string') {
      if (ids.has(block.block_id)) problems.push(`${at}.block_id: ${block.block_id} is there twice`);
      ids.add(block.block_id);
    }
    rule.check(block, at, problems);
    if (block.type === 'markdown') markdownCharacters += String(block.text).length;
    if (block.type === 'table') tables += 1;
  });
  if (markdownCharacters > 12_000) problems.push(`blocks: ${markdownCharacters} characters of markdown, at most 12000`);
  if (tables > 1) problems.push('only_one_table_allowed');
  const all = countCharacters(blocks);
  if (surface === 'message' && all > 13_200) problems.push(`msg_blocks_too_long: ${all} characters`);
  return problems;
}

export function checkView(view: unknown): Problems {
  const problems: Problems = [];
  if (!isFields(view)) return ['view: must be an object'];
  if (view.type !== 'modal' && view.type !== 'home') return [`view.type: ${String(view.type)}`];
  const modalOnly = ['title', 'submit', 'close', 'clear_on_close', 'notify_on_close', 'submit_disabled'];
  const both = ['type', 'blocks', 'callback_id', 'private_metadata', 'external_id'];
  allow(view, view.type === 'modal' ? [...both, ...modalOnly] : both, 'view', problems);
  text(view.callback_id, 255, 'view.callback_id', problems, { optional: true });
  text(view.private_metadata, 3000, 'view.private_metadata', problems, { optional: true, empty: true });
  if (view.type === 'modal') {
    textObject(view.title, ['plain_text'], 24, 'view.title', problems);
    for (const label of ['submit', 'close'] as const) {
      if (view[label] !== undefined) textObject(view[label], ['plain_text'], 24, `view.${label}`, problems);
    }
    const inputs = Array.isArray(view.blocks) && view.blocks.some((block) => isFields(block) && block.type === 'input');
    if (inputs && view.submit === undefined) problems.push('view.submit: needed where there is an input');
  }
  problems.push(...checkBlocks(view.blocks, view.type));
  return problems;
}

interface BlockRule {
  readonly surfaces: readonly Surface[];
  readonly fields: readonly string[];
  readonly check: (block: Fields, at: string, problems: Problems) => void;
}

const everywhere: readonly Surface[] = ['message', 'modal', 'home'];

const blockRules: { readonly [type: string]: BlockRule } = {
  divider: { surfaces: everywhere, fields: [], check: () => {} },
  header: {
    surfaces: everywhere,
    fields: ['text'],
    check: (block, at, problems) => textObject(block.text, ['plain_text'], 150, `${at}.text`, problems),
  },
  section: {
    surfaces: everywhere,
    fields: ['text', 'fields', 'accessory', 'expand'],
    check(block, at, problems) {
      if (block.text === undefined && block.fields === undefined) problems.push(`${at}: needs text or fields`);
      if (block.text !== undefined) {
        textObject(block.text, ['mrkdwn', 'plain_text'], 3000, `${at}.text`, problems);
      }
      if (block.fields !== undefined) {
        list(block.fields, 1, 10, `${at}.fields`, problems).forEach((field, index) => {
          textObject(field, ['mrkdwn', 'plain_text'], 2000, `${at}.fields[${index}]`, problems);
        });
      }
      if (block.accessory !== undefined) element(block.accessory, `${at}.accessory`, problems);
    },
  },
  context: {
    surfaces: everywhere,
    fields: ['elements'],
    check(block, at, problems) {
      list(block.elements, 1, 10, `${at}.elements`, problems).forEach((one, index) => {
        const place = `${at}.elements[${index}]`;
        if (isFields(one) && one.type === 'image') image(one, place, problems);
        else textObject(one, ['mrkdwn', 'plain_text'], 3000, place, problems);
      });
    },
  },
  image: {
    surfaces: everywhere,
    fields: ['alt_text', 'title', 'image_url', 'slack_file'],
    check: image,
  },
  actions: {
    surfaces: everywhere,
    fields: ['elements'],
    check(block, at, problems) {
      const ids = new Set<unknown>();
      list(block.elements, 1, 25, `${at}.elements`, problems).forEach((one, index) => {
        element(one, `${at}.elements[${index}]`, problems);
        if (!isFields(one)) return;
        if (ids.has(one.action_id)) problems.push(`${at}: action_id ${String(one.action_id)} is there twice`);
        ids.add(one.action_id);
      });
    },
  },
  input: {
    surfaces: ['modal', 'home'],
    fields: ['label', 'element', 'hint', 'optional', 'dispatch_action'],
    check(block, at, problems) {
      textObject(block.label, ['plain_text'], 2000, `${at}.label`, problems);
      if (block.hint !== undefined) textObject(block.hint, ['plain_text'], 2000, `${at}.hint`, problems);
      element(block.element, `${at}.element`, problems);
    },
  },
  markdown: {
    surfaces: ['message'],
    fields: ['text'],
    check: (block, at, problems) => text(block.text, 12_000, `${at}.text`, problems),
  },
  rich_text: {
    surfaces: everywhere,
    fields: ['elements'],
    check(block, at, problems) {
      list(block.elements, 1, 1000, `${at}.elements`, problems).forEach((one, index) => {
        richElement(one, `${at}.elements[${index}]`, problems);
      });
    },
  },
  table: {
    surfaces: ['message'],
    fields: ['rows', 'column_settings'],
    check(block, at, problems) {
      let characters = 0;
      list(block.rows, 1, 100, `${at}.rows`, problems).forEach((row, index) => {
        list(row, 1, 20, `${at}.rows[${index}]`, problems).forEach((cell, column) => {
          const place = `${at}.rows[${index}][${column}]`;
          if (!isFields(cell)) problems.push(`${place}: must be an object`);
          else if (cell.type === 'raw_text') {
            allow(cell, ['type', 'text'], place, problems);
            text(cell.text, 10_000, place, problems);
          } else if (cell.type === 'rich_text') blockRules.rich_text?.check(cell, place, problems);
          else problems.push(`${place}: unknown type ${String(cell.type)}`);
          characters += countCharacters(cell);
        });
      });
      if (characters > 10_000) problems.push(`${at}: ${characters} characters, at most 10000`);
      if (block.column_settings !== undefined) {
        list(block.column_settings, 1, 20, `${at}.column_settings`, problems).forEach((setting, index) => {
          if (isFields(setting)) allow(setting, ['align', 'is_wrapped'], `${at}.column_settings[${index}]`, problems);
        });
      }
    },
  },
  task_card: {
    surfaces: ['message'],
    fields: ['task_id', 'title', 'details', 'output', 'sources', 'status'],
    check(block, at, problems) {
      text(block.task_id, 255, `${at}.task_id`, problems);
      text(block.title, 256, `${at}.title`, problems);
      oneOf(block.status, ['pending', 'in_progress', 'complete', 'error'], `${at}.status`, problems);
      for (const part of ['details', 'output'] as const) {
        const rich = block[part];
        if (rich === undefined) continue;
        if (isFields(rich) && rich.type === 'rich_text') blockRules.rich_text?.check(rich, `${at}.${part}`, problems);
        else problems.push(`${at}.${part}: must be rich_text`);
      }
      if (block.sources === undefined) return;
      list(block.sources, 1, 50, `${at}.sources`, problems).forEach((source, index) => {
        const place = `${at}.sources[${index}]`;
        if (!isFields(source) || source.type !== 'url') problems.push(`${place}: must be a url`);
        else {
          allow(source, ['type', 'url', 'text'], place, problems);
          text(source.url, 3000, `${place}.url`, problems);
          text(source.text, 75, `${place}.text`, problems);
        }
      });
    },
  },
  plan: {
    surfaces: ['message'],
    fields: ['title', 'tasks'],
    check(block, at, problems) {
      text(block.title, 256, `${at}.title`, problems);
      const ids = new Set<unknown>();
      list(block.tasks, 1, 50, `${at}.tasks`, problems).forEach((task, index) => {
        const place = `${at}.tasks[${index}]`;
        if (!isFields(task) || task.type !== 'task_card') {
          problems.push(`${place}: must be a task_card`);
          return;
        }
        allow(task, ['type', 'block_id', ...(blockRules.task_card?.fields ?? [])], place, problems);
        blockRules.task_card?.check(task, place, problems);
        if (ids.has(task.task_id)) problems.push(`${place}: a second task ${String(task.task_id)}`);
        ids.add(task.task_id);
      });
    },
  },
};

function image(block: Fields, at: string, problems: Problems) {
  text(block.alt_text, 2000, `${at}.alt_text`, problems);
  if ((block.image_url === undefined) === (block.slack_file === undefined)) {
    problems.push(`${at}: needs either image_url or slack_file`);
  }
  text(block.image_url, 3000, `${at}.image_url`, problems, { optional: true });
  if (block.slack_file !== undefined && (!isFields(block.slack_file) || typeof block.slack_file.id !== 'string')) {
    problems.push(`${at}.slack_file: needs an id`);
  }
  if (block.title !== undefined) textObject(block.title, ['plain_text'], 2000, `${at}.title`, problems);
}

const styles = ['bold', 'italic', 'strike', 'code', 'underline'];

const richRules: { readonly [type: string]: readonly string[] } = {
  rich_text_section: ['elements'],
  rich_text_list: ['elements', 'style', 'indent', 'offset', 'border'],
  rich_text_preformatted: ['elements', 'border', 'language'],
  rich_text_quote: ['elements', 'border'],
};

function richElement(one: unknown, at: string, problems: Problems) {
  if (!isFields(one)) {
    problems.push(`${at}: must be an object`);
    return;
  }
  const fields = richRules[String(one.type)];
  if (fields === undefined) {
    problems.push(`${at}: unknown type ${String(one.type)}`);
    return;
  }
  allow(one, ['type', ...fields], at, problems);
  if (one.type === 'rich_text_list') {
    oneOf(one.style, ['bullet', 'ordered'], `${at}.style`, problems);
    if (typeof one.indent === 'number' && (one.indent < 0 || one.indent > 8)) problems.push(`${at}.indent: 0 to 8`);
    list(one.elements, 1, 1000, `${at}.elements`, problems).forEach((item, index) => {
      if (isFields(item) && item.type === 'rich_text_section') richElement(item, `${at}.elements[${index}]`, problems);
      else problems.push(`${at}.elements[${index}]: a list holds rich_text_section`);
    });
    return;
  }
  list(one.elements, 0, 5000, `${at}.elements`, problems).forEach((leaf, index) => {
    richLeaf(leaf, `${at}.elements[${index}]`, problems);
  });
}

const leafFields: { readonly [type: string]: readonly string[] } = {
  text: ['text', 'style'],
  link: ['url', 'text', 'unsafe', 'style'],
  emoji: ['name', 'unicode', 'style'],
  user: ['user_id', 'style'],
  usergroup: ['usergroup_id', 'style'],
  channel: ['channel_id', 'style'],
  broadcast: ['range', 'style'],
};

function richLeaf(leaf: unknown, at: string, problems: Problems) {
  const fields = isFields(leaf) ? leafFields[String(leaf.type)] : undefined;
  if (!isFields(leaf) || fields === undefined) {
    problems.push(`${at}: unknown element`);
    return;
  }
  allow(leaf, ['type', ...fields], at, problems);
  if (leaf.type === 'text') text(leaf.text, 13_200, `${at}.text`, problems);
  if (leaf.type === 'link') text(leaf.url, 3000, `${at}.url`, problems);
  if (isFields(leaf.style)) allow(leaf.style, styles, `${at}.style`, problems);
}

const elementFields: { readonly [type: string]: readonly string[] } = {
  button: ['text', 'url', 'value', 'style', 'confirm', 'accessibility_label'],
  static_select: ['placeholder', 'options', 'option_groups', 'initial_option', 'confirm', 'focus_on_load'],
  multi_static_select: ['placeholder', 'options', 'initial_options', 'max_selected_items', 'focus_on_load'],
  radio_buttons: ['options', 'initial_option', 'confirm', 'focus_on_load'],
  checkboxes: ['options', 'initial_options', 'confirm', 'focus_on_load'],
  plain_text_input: [
    'initial_value',
    'multiline',
    'min_length',
    'max_length',
    'placeholder',
    'dispatch_action_config',
    'focus_on_load',
  ],
  number_input: [
    'is_decimal_allowed',
    'initial_value',
    'min_value',
    'max_value',
    'placeholder',
    'dispatch_action_config',
    'focus_on_load',
  ],
  file_input: ['filetypes', 'max_files'],
};

function element(one: unknown, at: string, problems: Problems) {
  if (!isFields(one)) {
    problems.push(`${at}: must be an object`);
    return;
  }
  const fields = elementFields[String(one.type)];
  if (fields === undefined) {
    problems.push(`${at}: unknown type ${String(one.type)}`);
    return;
  }
  allow(one, ['type', 'action_id', ...fields], at, problems);
  text(one.action_id, 255, `${at}.action_id`, problems);
  if (one.placeholder !== undefined) textObject(one.placeholder, ['plain_text'], 150, `${at}.placeholder`, problems);
  switch (one.type) {
    case 'button':
      textObject(one.text, ['plain_text'], 75, `${at}.text`, problems);
      text(one.value, 2000, `${at}.value`, problems, { optional: true });
      text(one.url, 3000, `${at}.url`, problems, { optional: true });
      if (one.style !== undefined) oneOf(one.style, ['primary', 'danger'], `${at}.style`, problems);
      break;
    case 'static_select':
    case 'multi_static_select':
    case 'radio_buttons':
    case 'checkboxes':
      choices(one, at, problems);
      break;
    case 'plain_text_input':
      for (const bound of ['min_length', 'max_length'] as const) {
        const length = one[bound];
        if (length !== undefined && (typeof length !== 'number' || length < 0 || length > 3000)) {
          problems.push(`${at}.${bound}: 0 to 3000`);
        }
      }
      text(one.initial_value, 3000, `${at}.initial_value`, problems, { optional: true });
      break;
    case 'number_input':
      if (typeof one.is_decimal_allowed !== 'boolean') problems.push(`${at}.is_decimal_allowed: must be a boolean`);
      for (const bound of ['min_value', 'max_value', 'initial_value'] as const) {
        if (one[bound] !== undefined && !/^-?\d+(\.\d+)?$/.test(String(one[bound]))) {
          problems.push(`${at}.${bound}: must be a number in a string`);
        }
        if (one[bound] !== undefined && typeof one[bound] !== 'string')
          problems.push(`${at}.${bound}: must be a string`);
      }
      break;
    case 'file_input':
      if (
        one.max_files !== undefined &&
        (typeof one.max_files !== 'number' || one.max_files < 1 || one.max_files > 10)
      ) {
        problems.push(`${at}.max_files: 1 to 10`);
      }
      break;
  }
}

function choices(one: Fields, at: string, problems: Problems) {
  const most = one.type === 'static_select' ? 100 : 10;
  const values: unknown[] = [];
  const option = (given: unknown, place: string) => {
    if (!isFields(given)) {
      problems.push(`${place}: must be an object`);
      return;
    }
    allow(given, ['text', 'value', 'description', 'url'], place, problems);
    const kinds = one.type === 'static_select' ? ['plain_text'] : ['plain_text', 'mrkdwn'];
    textObject(given.text, kinds, 75, `${place}.text`, problems);
    text(given.value, 150, `${place}.value`, problems);
    if (given.description !== undefined) textObject(given.description, kinds, 75, `${place}.description`, problems);
    values.push(given.value);
  };
  if (one.type === 'static_select' && one.option_groups !== undefined) {
    list(one.option_groups, 1, 100, `${at}.option_groups`, problems).forEach((group, index) => {
      const place = `${at}.option_groups[${index}]`;
      if (!isFields(group)) return;
      textObject(group.label, ['plain_text'], 75, `${place}.label`, problems);
      list(group.options, 1, 100, `${place}.options`, problems).forEach((given) => {
        option(given, place);
      });
    });
  } else {
    list(one.options, 1, most, `${at}.options`, problems).forEach((given, index) => {
      option(given, `${at}.options[${index}]`);
    });
  }
  if (new Set(values).size !== values.length) problems.push(`${at}: two options have one value`);
  const initial = [
    ...(one.initial_option === undefined ? [] : [one.initial_option]),
    ...(Array.isArray(one.initial_options) ? one.initial_options : []),
  ];
  for (const chosen of initial) {
    if (!isFields(chosen) || !values.includes(chosen.value)) problems.push(`${at}: the initial option is no option`);
  }
}

function allow(given: Fields, fields: readonly string[], at: string, problems: Problems) {
  for (const name of Object.keys(given)) {
    if (given[name] !== undefined && !fields.includes(name)) problems.push(`${at}: unknown field ${name}`);
  }
}

function text(
  value: unknown,
  most: number,
  at: string,
  problems: Problems,
  { optional = false, empty = false }: { optional?: boolean; empty?: boolean } = {},
) {
  if (value === undefined && optional) return;
  if (typeof value !== 'string') problems.push(`${at}: must be a string`);
  else if (value.length > most) problems.push(`${at}: ${value.length} characters, at most ${most}`);
  else if (value === '' && !empty) problems.push(`${at}: is empty`);
  else if (/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(value)) {
    problems.push(`${at}: half a character`);
  }
}

function textObject(value: unknown, types: readonly string[], most: number, at: string, problems: Problems) {
  if (!isFields(value)) {
    problems.push(`${at}: must be a text object`);
    return;
  }
  oneOf(value.type, types, `${at}.type`, problems);
  allow(value, value.type === 'mrkdwn' ? ['type', 'text', 'verbatim'] : ['type', 'text', 'emoji'], at, problems);
  text(value.text, most, `${at}.text`, problems);
}

function list(value: unknown, least: number, most: number, at: string, problems: Problems): readonly unknown[] {
  if (!Array.isArray(value)) {
    problems.push(`${at}: must be an array`);
    return [];
  }
  if (value.length < least || value.length > most) problems.push(`${at}: ${value.length}, must be ${least} to ${most}`);
  return value;
}

function oneOf(value: unknown, allowed: readonly string[], at: string, problems: Problems) {
  if (typeof value !== 'string' || !allowed.includes(value)) {
    problems.push(`${at}: ${String(value)}, must be ${allowed.join(' or ')}`);
  }
}

/** Characters a person would read. */
function countCharacters(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + countCharacters(one), 0);
  if (!isFields(value)) return 0;
  let sum = 0;
  for (const [name, inner] of Object.entries(value)) {
    if (typeof inner === 'string') sum += ['text', 'title', 'alt_text'].includes(name) ? inner.length : 0;
    else sum += countCharacters(inner);
  }
  return sum;
}

/** Fields that nobody reads. */
const unread = new Set(['value', 'action_id', 'block_id', 'private_metadata']);

/** What in a payload would notify somebody: Slack's control sequences in markup, and the elements made for it. */
export function findPings(value: unknown, markup = true): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one) => findPings(one, markup));
  if (typeof value === 'string') {
    return markup ? (value.match(/<[@!](?!date)[^>]*>/g) ?? []) : [];
  }
  if (!isFields(value)) return [];
  if (value.type === 'user' || value.type === 'usergroup' || value.type === 'broadcast') return [JSON.stringify(value)];
  const literal = value.type === 'plain_text' || value.type === 'text' || value.type === 'raw_text';
  return Object.entries(value)
    .filter(([name]) => !unread.has(name))
    .flatMap(([, inner]) => findPings(inner, markup && !literal));
}
