import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toString as textOf } from 'mdast-util-to-string';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { code, plain, shorten } from '../bot/chat/escape.ts';
import { nameMaintainer } from '../bot/chat/maintainers.ts';
import type { Field } from '../bot/chat/message.ts';
import { checkModel } from '../bot/chat/models.ts';
import { hyperSchema } from '../engine/index.ts';
import { metrics } from './support/fake-engine.ts';
import { buttonOf, createTalk, wordsOf } from './support/talk.ts';

const parse = (markdown: string) => unified().use(remarkParse).use(remarkGfm).parse(markdown);

const nasty = [
  '<script>alert(1)</script>',
  '**bold** _under_ ~~gone~~ `tick` ``two``',
  '[link](javascript:alert(1)) ![pic](http://evil.example/x.png)',
  '@everyone <@123> <!channel> <#C1> a@b.example',
  'https://evil.example www.evil.example http://a.b?c=d&e=f',
  '1. one',
  '- dash + plus # hash > quote | pipe',
  '&lt; &amp; &#64;everyone \\*not\\*',
  '[x]: http://evil.example',
];

describe('untrusted text in markdown', () => {
  it.each(nasty)('%j reads exactly as written, and is nothing but text', (words) => {
    const tree = parse(`before ${plain(words)} after`);
    expect(tree.children.map(({ type }) => type)).toEqual(['paragraph']);
    const [paragraph] = tree.children;
    expect(paragraph?.type === 'paragraph' && paragraph.children.map(({ type }) => type)).toEqual(['text']);
    expect(textOf(tree).replaceAll('\u200B', '')).toBe(`before ${words} after`);
    expect(textOf(tree)).not.toMatch(/@(everyone|123)/);
  });

  it.each(nasty)('%j at the start of a line starts no list, heading or table', (words) => {
    const tree = parse(plain(words));
    expect(tree.children.map(({ type }) => type)).toEqual(['paragraph']);
  });

  it.each(['a`b', '``', '` `', 'x', '`'])('a code span of %j holds just that', (words) => {
    const tree = parse(`a ${code(words)} b`);
    const [paragraph] = tree.children;
    const span = paragraph?.type === 'paragraph' ? paragraph.children[1] : undefined;
    expect(span?.type === 'inlineCode' && span.value.trim()).toBe(words.trim());
  });

  it('loses control characters and text-turning characters, and is cut between characters', () => {
    expect(plain('a\u001B[31mb\u202Ec\u0000')).toBe('a\\[31mbc');
    expect(shorten('👩‍🔬👩‍🔬👩‍🔬', 4)).not.toMatch(/[\uD800-\uDBFF]…/);
  });
});

describe('the conversation', () => {
  it('answers a redelivered event once', async () => {
    const talk = createTalk();
    const event = { kind: 'message', text: 'what is bias?', attachments: [], key: 'k' } as const;
    expect(await talk.send(event)).toHaveLength(1);
    expect(await talk.send(event)).toEqual([]);
    expect(talk.engine.asked).toHaveLength(1);
  });

  it('tells a person the id of an error that is in the log, and nothing else of it', async () => {
    const talk = createTalk();
    talk.engine.breakNext(new Error('password=hunter2'));
    const said = wordsOf(await talk.say('what is bias?'));
    expect(said).toContain('id-0042');
    expect(said).not.toContain('hunter2');
    expect(talk.logged).toEqual([expect.objectContaining({ errorId: 'id-0042' })]);
    expect(wordsOf(await talk.say('and variance?'))).toContain('The guide says');
  });

  it('answers events of one place in order, however they arrive', async () => {
    const talk = createTalk();
    await Promise.all(['first?', 'second?', 'third?'].map((text) => talk.say(text)));
    expect(talk.engine.asked.map(({ question }) => question)).toEqual(['first?', 'second?', 'third?']);
  });

  it('gives the tutor what was said before, so that a follow-up can be understood', async () => {
    const talk = createTalk();
    const place = { front: 'web', workspaceId: 'local', conversationId: 'c' };
    await talk.engine.conversations.say(place, { personId: 'ada', content: { text: 'what is LoRA?' } });
    await talk.say('what is LoRA?');
    await talk.engine.conversations.say(place, { personId: 'ada', content: { text: 'and its rank?' } });
    await talk.say('and its rank?');
    expect(talk.engine.asked.at(-1)).toEqual({
      question: 'and its rank?',
      turns: [
        { role: 'user', text: 'what is LoRA?' },
        { role: 'assistant', text: 'The guide says: **watch the gap**.' },
      ],
    });
  });

  it('suggests the command that was meant, and can be pressed', async () => {
    const talk = createTalk();
    const asked = await talk.say('hlep');
    expect(wordsOf(asked)).toContain('Did you mean `help`?');
    expect(wordsOf(await talk.press(buttonOf(asked, 'help')))).toContain('I teach machine learning');
    expect(wordsOf(await talk.press(buttonOf(asked, 'Ask it as a question')))).toContain('The guide says');
  });

  it('says what there is when a command is near nothing', async () => {
    const said = wordsOf(await createTalk().say('/<b>frob</b> @everyone'));
    expect(said).toContain('There is no command “\\<b\\>frob\\</b\\>”');
    expect(said).toContain('[Help]');
  });

  it.each([100_000, 20_001])('refuses a message of %d characters, naming the number', async (length) => {
    const talk = createTalk();
    const said = wordsOf(await talk.say('a'.repeat(length)));
    expect(said).toContain(length.toLocaleString('en'));
    expect(said).toContain('20,000');
    expect(talk.engine.asked).toEqual([]);
  });

  it.each([
    { command: 'nothing', args: {} },
    { command: 'quiz', args: { session: { $ne: 1 }, item: 'x', choice: 'y' } },
    { command: 'runs', args: { action: 'delete', run: 'run-1' } },
    { command: 'try', args: { run: ['x'] } },
    { command: 'finetune', args: { data: 'x.csv', file: { path: '/etc/passwd' } } },
    { command: 'ask', args: {} },
  ])('answers the forged call %j with words, not with a crash', async (call) => {
    const talk = createTalk();
    const replies = await talk.press(call);
    expect(replies).toHaveLength(1);
    expect(replies[0]?.audience).toBe('asker');
    expect(talk.logged).toEqual([]);
  });
});

describe('help', () => {
  it('lists every command, and one at a time with examples', async () => {
    const talk = createTalk();
    const overview = wordsOf(await talk.say('help'));
    for (const name of ['ask', 'explain', 'quiz', 'finetune', 'runs', 'try', 'help'])
      expect(overview).toContain(`\`${name} `);
    expect(wordsOf(await talk.say('help finetune'))).toContain('finetune reviews.csv');
    expect(wordsOf(await talk.say('/help fintune'))).toContain('The nearest is finetune');
  });
});

describe('ask', () => {
  it('cites the guide and offers a quiz on the chapter', async () => {
    const talk = createTalk();
    const replies = await talk.say('what is overfitting?');
    expect(wordsOf(replies)).toContain('Overfitting and underfitting › Definition');
    expect(wordsOf(await talk.press(buttonOf(replies, 'Quiz: Overfitting and underfitting')))).toContain(
      'Question 1 of 2',
    );
  });

  it('offers the nearest chapters when the guide does not cover it', async () => {
    const talk = createTalk();
    expect(wordsOf(await talk.say('how is the weather?'))).toContain('[Overfitting and underfitting]');
  });
});

describe('quiz', () => {
  it('goes from the chapter over every question to the score and what to read again', async () => {
    const talk = createTalk();
    const offered = await talk.say('quiz');
    expect(offered[0]?.blocks[0]).toMatchObject({ kind: 'select', options: [{ value: 'overfitting-underfitting' }] });

    const first = await talk.say('quiz overfitting-underfitting 2');
    expect(wordsOf(first)).toContain('**B** Both bad');
    const [corrected, second] = await talk.press(buttonOf(first, 'B'));
    expect(corrected?.slot).toBe(first[0]?.slot);
    expect(wordsOf(corrected ? [corrected] : [])).toMatch(
      /\*\*B\*\* ✗ Both bad[\s\S]*Not quite[\s\S]*Both bad is underfitting[\s\S]*That gap is the definition/,
    );
    expect(corrected?.blocks.some((block) => block.kind === 'buttons')).toBe(false);

    const last = await talk.press(buttonOf(second ? [second] : [], 'A'));
    expect(wordsOf(last)).toContain('✓ Right.');
    expect(wordsOf(last)).toContain('1 of 2 right');
    expect(wordsOf(last)).toContain('Overfitting and underfitting › Definition');
    expect(wordsOf(last)).toContain('[Again] [Another chapter]');
  });

  it('counts the first answer and says so when another is pressed', async () => {
    const talk = createTalk();
    const first = await talk.say('quiz overfitting-underfitting');
    await talk.press(buttonOf(first, 'B'));
    const again = wordsOf(await talk.press(buttonOf(first, 'A')));
    expect(again).toContain('Your first answer stands');
    expect(again).toContain('✗ Both bad');
  });

  it("refuses another person's answer, to them alone", async () => {
    const talk = createTalk();
    const first = await talk.say('quiz overfitting-underfitting');
    const replies = await talk.press(buttonOf(first, 'A'), { id: 'bob', name: 'Bob' });
    expect(wordsOf(replies)).toContain('belongs to someone else');
    expect(replies.map((reply) => reply.audience)).toEqual(['asker']);
  });

  it.each([
    ['quiz overfitting-underfitting 0', "The length can't be 0: it must be at least 1"],
    ['quiz overfitting-underfitting -3', "The length can't be \\-3: it must be at least 1"],
    ['quiz nonsense', 'There is no chapter nonsense'],
  ])('%j is refused with what is allowed', async (text, refusal) => {
    expect(wordsOf(await createTalk().say(text))).toContain(refusal);
  });
});

describe('finetune', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'finetutor-commands-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function file(name: string, content: string) {
    const path = join(folder, 'upload');
    await writeFile(path, content);
    return { name, path, bytes: content.length };
  }
  const good = 'text,label\na,x\nb,y\nc,x\nd,y\n';

  it('offers a form whose bounds are those of the spec', async () => {
    const [shown] = await createTalk().say('finetune');
    const form = shown?.blocks.find((block) => block.kind === 'form');
    const field = (id: string): Field | undefined => form?.fields.find((candidate) => candidate.id === id);
    expect(field('data')).toMatchObject({ value: 'sample:moods' });
    expect(field('epochs')).toMatchObject({ kind: 'text', value: 'auto' });
    expect(field('file')).toMatchObject({ kind: 'file', when: { field: 'data', is: ['upload'] } });
    for (const [id, name] of [
      ['batchSize', 'batchSize'],
      ['loraRank', 'loraRank'],
    ] as const) {
      const number = field(id);
      if (number?.kind !== 'number') throw new Error(`${id} is no number`);
      expect(hyperSchema.safeParse({ [name]: number.max }).success).toBe(true);
      expect(hyperSchema.safeParse({ [name]: number.max + 1 }).success).toBe(false);
      expect(hyperSchema.safeParse({ [name]: number.min }).success).toBe(true);
      expect(hyperSchema.safeParse({ [name]: number.min - 1 }).success).toBe(false);
    }
  });

  it('checks an uploaded file, describes it and starts the run that was asked for', async () => {
    const talk = createTalk();
    const [form] = await talk.say('finetune');
    const call = form?.blocks.find((block) => block.kind === 'form')?.call ?? { command: '', args: {} };
    const replies = await talk.fill(call, {
      data: 'upload',
      file: await file('my reviews.csv', good),
      textColumn: '',
      labelColumn: '',
      method: 'lora',
      epochs: '5',
      learningRate: 'auto',
      batchSize: '4',
      loraRank: '2',
    });
    const said = wordsOf(replies);
    expect(said).toContain('**my reviews.csv**: 4 examples, 2 labels');
    expect(said).toContain('\\<img src\\=x onerror\\=alert\\(1\\)\\>');
    expect(said).toContain('line 7: no label');
    expect(replies.at(-1)?.slot).toBe('run:id-1');
    const run = await talk.engine.runs.get('local', 'run-1');
    expect(run.spec).toMatchObject({
      method: 'lora',
      hyper: { epochs: 5, batchSize: 4, loraRank: 2 },
      data: { columns: { text: 'text', label: 'label' } },
    });
    expect(run.spec.hyper.learningRate).toBeUndefined();
  });

  it('asks for the model where all have to be downloaded, in a form of what applies to the data', async () => {
    const talk = createTalk();
    const replies = await talk.fill(
      { command: 'finetune', args: {} },
      { data: 'upload', file: await file('toys.zip', good), task: 'auto', model: 'scratch:tiny', method: 'auto' },
    );
    const form = replies.flatMap((reply) => reply.blocks).find((block) => block.kind === 'form');
    const ids = form?.fields.map(({ id }) => id);
    expect(ids).toEqual(['data', 'model', 'otherModel', 'method', 'epochs', 'learningRate', 'batchSize', 'loraRank']);
    const field = (id: string) => form?.fields.find((one) => one.id === id);
    expect(form?.title).toBe('Fine-tune: classify pictures');
    expect(field('model')).toMatchObject({ value: 'microsoft/resnet-18' });
    expect(field('method')).toMatchObject({
      value: 'head',
      options: [{ value: 'head' }, { value: 'full' }, { value: 'lora' }],
    });
    expect(await talk.engine.runs.list('local', 10)).toEqual([]);
    const values = Object.fromEntries(
      (form?.fields ?? []).flatMap((one) =>
        'value' in one && one.value !== undefined ? [[one.id, String(one.value)]] : [],
      ),
    );
    await talk.fill(form?.call ?? { command: '', args: {} }, values);
    const run = await talk.engine.runs.get('local', 'run-1');
    expect(run.spec).toMatchObject({ task: 'image-classification', method: 'head', model: 'microsoft/resnet-18' });
  });

  it.each<[string, string, object]>([
    [
      'chat.jsonl',
      '--model Qwen/Qwen2.5-0.5B-Instruct',
      { task: 'causal-lm', method: 'lora', model: 'Qwen/Qwen2.5-0.5B-Instruct' },
    ],
    [
      'ner.conll',
      '',
      { task: 'token-classification', method: 'full', data: { columns: { tokens: 'text', tags: 'label' } } },
    ],
    ['stars.tsv', '--task regression', { task: 'regression', model: 'scratch:tiny' }],
    [
      'captions.zip',
      '--model openai/clip-vit-large-patch14',
      { task: 'image-text', method: 'lora', data: { columns: { image: 'label', caption: 'text' } } },
    ],
    ['ner.conll', '--model distilbert/distilbert-base-uncased', { model: 'distilbert/distilbert-base-uncased' }],
  ])('starts what %s is for: finetune … %s', async (name, options, spec) => {
    const talk = createTalk();
    await talk.say(`finetune ${name} ${options}`, [await file(name, good)]);
    expect((await talk.engine.runs.get('local', 'run-1')).spec).toMatchObject(spec);
  });

  it('takes no folder of this machine from a front that others use', () => {
    for (const model of ['/etc', 'engine/models', '../data/runs/run-1', 'C:\\models']) {
      expect(() => checkModel(model, 'discord'), model).toThrow("can't be taken here");
      expect(() => checkModel(model, 'slack'), model).toThrow("can't be taken here");
      expect(() => checkModel(model, 'terminal'), model).not.toThrow();
    }
    expect(() => checkModel('microsoft/resnet-18', 'discord')).not.toThrow();
  });

  it('follows a recipe, in the run and in the form; what is said besides it counts', async () => {
    const talk = createTalk();
    await talk.say('finetune moods --recipe lora-large --epochs 2');
    const [run] = await talk.engine.runs.list('local', 1);
    expect(run?.spec).toMatchObject({ method: 'lora', hyper: { loraRank: 32, epochs: 2 } });
    const shown = (await talk.say('finetune --recipe gentle')).flatMap(({ blocks }) => blocks);
    const form = shown.find((block) => block.kind === 'form');
    const value = (id: string) =>
      form?.fields.flatMap((field) => (field.id === id && 'value' in field ? field.value : []))[0];
    expect([value('method'), value('learningRate')]).toEqual(['full', '0.00001']);
    expect(wordsOf(await talk.say('finetune moods --recipe pancakes'))).toMatch(
      /recipe can.t be pancakes.*first.+look/,
    );
  });

  it('starts from a typed line, with a sample by its title', async () => {
    const talk = createTalk();
    await talk.say('finetune moods --epochs 2 --learning-rate 0.01 --batch-size 8');
    expect((await talk.engine.runs.get('local', 'run-1')).spec.hyper).toMatchObject({
      epochs: 2,
      learningRate: 0.01,
      batchSize: 8,
    });
  });

  it('starts the form from a file that came with the message', async () => {
    const talk = createTalk();
    const replies = await talk.say('finetune', [await file('a.csv', good)]);
    const form = replies.flatMap((reply) => reply.blocks).find((block) => block.kind === 'form');
    const data = form?.fields.find((field) => field.id === 'data');
    expect(data).toMatchObject({ options: expect.arrayContaining([expect.objectContaining({ label: 'a.csv' })]) });
    const [kept] = await talk.engine.datasets.list('local');
    expect(data?.kind === 'choice' && data.value).toBe(kept?.id);
  });

  it.each([
    ['finetune moods --learning-rate -0.1', "The learning rate can't be \\-0.1: it must be more than 0"],
    ['finetune moods --learning-rate fast', "The learning rate can't be fast: it must be a number"],
    ['finetune moods --rank 0', "The lora rank can't be 0: it must be at least 1"],
    ['finetune moods --epochs 2.5', "The epochs can't be 2.5: it must be a whole number"],
    ['finetune moods --epochs', "The epochs can't be nothing"],
    ['finetune moods --batch-size 100000', "The batch size can't be 100000: it must be at most 512"],
    ['finetune moods --method prompt', "The method can't be prompt: it must be one of auto, full, lora, qlora, head"],
    ['finetune moods --method head', 'The method head is for models of pictures'],
    ['finetune moods --task image-classification', "Moods can't be used to classify pictures: it holds 600 examples"],
    ['finetune moods --task poetry', "The task can't be poetry"],
    ['finetune moods --ranks 4', 'There is no option ranks'],
    ['finetune mods.csv', 'the nearest is moods'],
    ['finetune /etc/passwd --epochs 1', 'There is no file or sample called /etc/passwd'],
  ])('%j is refused: %s', async (text, refusal) => {
    const talk = createTalk();
    expect(wordsOf(await talk.say(text))).toContain(refusal);
    expect(await talk.engine.runs.list('local', 10)).toEqual([]);
    expect(talk.logged).toEqual([]);
  });

  it('says every wrong value at once', async () => {
    const said = wordsOf(await createTalk().say('finetune moods --rank 0 --epochs 0'));
    expect(said).toContain('lora rank');
    expect(said).toContain('epochs');
    expect(said).toContain('Usage: finetune');
  });

  it('passes on why a file can not be trained on, and starts nothing', async () => {
    const talk = createTalk();
    expect(wordsOf(await talk.say('finetune one.csv', [await file('one.csv', 'text,label\na,x\n')]))).toContain(
      'has 1 rows',
    );
    expect(await talk.engine.runs.list('local', 10)).toEqual([]);
  });

  it('never takes a path from arguments: only a file that came along is read', async () => {
    const talk = createTalk();
    const said = wordsOf(await talk.press({ command: 'finetune', args: { data: join(folder, 'upload') } }));
    expect(said).toContain('There is no file or sample called');
  });
});

describe('runs and try', () => {
  async function withRun() {
    const talk = createTalk();
    await talk.say('finetune moods');
    return talk;
  }
  const finish = (talk: Awaited<ReturnType<typeof withRun>>) =>
    talk.engine.change('id-1', {
      status: 'done',
      metrics,
      result: {
        type: 'done',
        step: 8,
        artifact: '/nowhere',
        metrics,
        seconds: 75,
        peakRssBytes: 1,
        samples: [{ text: 'x', actual: 'good', predicted: 'bad', confidence: 0.6 }],
      },
    });

  it('are listed, opened, stopped and resumed', async () => {
    const talk = await withRun();
    expect(wordsOf(await talk.say('runs'))).toContain(
      'run-1 | waiting | – | Classify texts | full fine-tuning | Moods',
    );
    expect(wordsOf(await talk.say('runs run-1'))).toContain('Waiting for its turn');
    expect(wordsOf(await talk.say('runs stop run-1'))).toContain('its checkpoint is kept');
    expect(wordsOf(await talk.say('runs resume run-1'))).toContain('goes on from its last checkpoint');
  });

  it('are stopped and resumed by whoever started them, or by a maintainer', async () => {
    const place = { front: 'discord', workspaceId: 'guild', conversationId: 'c' } as const;
    const talk = createTalk({ place });
    await talk.say('finetune moods');
    const stop = { command: 'runs', args: { action: 'stop', run: 'run-1' } };
    const ben = { id: 'ben', name: 'Ben' };
    expect(wordsOf(await talk.press(stop, ben))).toContain('started by someone else');
    expect((await talk.engine.runs.get('guild', 'run-1')).status).toBe('queued');
    await nameMaintainer(talk.engine.kept, 'guild', 'ben');
    expect(wordsOf(await talk.press(stop, ben))).toContain('its checkpoint is kept');
    expect(wordsOf(await talk.press({ ...stop, args: { action: 'resume', run: 'run-1' } }))).toContain('goes on');
  });

  it('there is a first step when there are none', async () => {
    const talk = createTalk();
    expect(wordsOf(await talk.say('runs'))).toContain('[Fine-tune a model]');
    expect(wordsOf(await talk.say('try'))).toContain('no finished run to try yet');
  });

  it.each(['runs stop run-99', 'runs run-99', 'try run-99 hello'])('%j names the runs there are', async (text) => {
    const talk = await withRun();
    const said = wordsOf(await talk.say(text));
    expect(said).toMatch(/no run run\\-99/);
    expect(said).toContain('Runs: run\\-1');
  });

  it('show, when done, the score beside what always answering one class would get', async () => {
    const talk = await withRun();
    finish(talk);
    const said = wordsOf(await talk.say('runs run-1'));
    expect(said).toContain('**Accuracy 87.5 %** on 8 held-out examples (always answering the commonest class: 50.0 %)');
    expect(said).toContain('<b>good</b> @everyone | 85.0 % | 90.0 % | 88.0 % | 4');
    expect(said).toContain('Confusion matrix: 3 of 4 bad');
    expect(said).toContain('✗ | x | good | bad | 60.0 %');
    expect(said).toContain('Done in 1 min 15 s');
  });

  it('classify words, typed or through the form', async () => {
    const talk = await withRun();
    finish(talk);
    expect(wordsOf(await talk.say('try run-1 <i>fine</i>'))).toMatch(
      /\*\*good\*\* · “\\<i\\>fine[\s\S]*good \| 75.0 %\nbad \| 25.0 %/,
    );
    const [form] = await talk.say('try last');
    expect(form?.blocks[0]).toMatchObject({ kind: 'form', call: { command: 'try', args: { run: 'run-1' } } });
    expect(wordsOf(await talk.fill({ command: 'try', args: { run: 'run-1' } }, { text: 'good' }))).toContain('75.0 %');
  });

  it('are exported for Transformers.js, with how far the files are from the model', async () => {
    const talk = await withRun();
    finish(talk);
    expect(wordsOf(await talk.say('runs run-1'))).toContain('[Export for Transformers.js]');
    const replies = await talk.say('runs export run-1');
    expect(wordsOf(replies)).toContain('`model_quantized.onnx` answers like the trained model to within 1 %');
    const blocks = replies.flatMap((reply) => reply.blocks);
    expect(blocks).toContainEqual(expect.objectContaining({ kind: 'file', name: 'run-1.transformers-js.zip' }));
  });

  it('say, when they have ended, what their curves show, citing the guide', async () => {
    const talk = await withRun();
    finish(talk);
    talk.engine.change('id-1', { finishedAt: new Date() });
    const [card] = await talk.say('runs run-1');
    expect(wordsOf([card ?? { audience: 'everyone', blocks: [] }])).toContain('held\\-out loss rises since step 4');
    expect(card?.blocks.find(({ kind }) => kind === 'sources')).toMatchObject({
      sources: [{ chapterId: 'overfitting-underfitting' }],
    });
  });

  it('ask for what their task needs: a picture, or words and how boldly to write', async () => {
    const talk = createTalk();
    const form = async () => (await talk.say('try last'))[0]?.blocks.find((block) => block.kind === 'form');
    const upload = async (name: string) => ({ name, path: join(tmpdir(), `finetutor-${name}`), bytes: 9 });
    await writeFile((await upload('toys.zip')).path, 'text,label\na,x\nb,y\n');
    await talk.say('finetune toys.zip --model microsoft/resnet-18', [await upload('toys.zip')]);
    finish(talk);
    expect(await form()).toMatchObject({ fields: [{ kind: 'file', id: 'picture' }] });
    expect(wordsOf(await talk.say('try run-1', [await upload('toys.zip')]))).toContain('**good** · “toys.zip”');
    await talk.say('finetune captions.zip --model openai/clip-vit-large-patch14', [
      { ...(await upload('toys.zip')), name: 'captions.zip' },
    ]);
    talk.engine.change('id-1', { status: 'failed' });
    talk.engine.change('id-2', { status: 'done' });
    expect((await form())?.fields.map(({ id }) => id)).toEqual(['picture', 'text']);
    expect(wordsOf(await talk.say('try run-2 a dog; a cat', [await upload('toys.zip')]))).toContain('“toys.zip”');
    talk.engine.change('id-2', { status: 'failed' });
    await talk.say('finetune toys.jsonl --model openai-community/gpt2', [
      { ...(await upload('toys.zip')), name: 'toys.jsonl' },
    ]);
    talk.engine.change('id-3', { status: 'done' });
    expect((await form())?.fields.map(({ id }) => id)).toEqual(['text', 'temperature', 'maxTokens']);
    expect(wordsOf(await talk.say('try run-3', [await upload('toys.zip')]))).toContain('reads texts');
    await rm((await upload('toys.zip')).path);
  });

  it('are not tried before they are done', async () => {
    const talk = await withRun();
    expect(wordsOf(await talk.say('try run-1'))).toContain('has no finished model');
  });
});
