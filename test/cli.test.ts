import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createProgram } from '../bot/cli/program.ts';
import { createEngine } from '../engine/create.ts';
import { loadGuide } from '../knowledge/index.ts';
import { startLlmServer } from './support/llm-server.ts';

let folder: string;
let environment: NodeJS.ProcessEnv;
const children = new Set<ChildProcess>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetutor-cli-'));
  environment = { PATH: process.env.PATH, DATA_DIR: join(folder, 'data'), PORT: '0', LOG_LEVEL: 'warn' };
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** The lines of standard output, parsed. */
  readonly lines: () => { readonly [name: string]: unknown }[];
}

function launch(args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['bin/finetutor.js', ...args], { env: { ...environment, ...more } });
  children.add(child);
  const written = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    written.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    written.err += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => {
      children.delete(child);
      resolve({
        code,
        ...written,
        lines: () =>
          written.out
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
      });
    });
  });
  return { child, written, ended };
}

async function run(args: readonly string[], input = '', more: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const { child, ended } = launch(args, more);
  child.stdin.end(input);
  return ended;
}

const moods = [
  'text,label',
  ...Array.from({ length: 60 }, (_, n) => `${n % 2 ? 'good happy' : 'bad sad'} words ${n},${n % 2 ? 'up' : 'down'}`),
];

async function writeSpec(name: string, hyper: object) {
  const data = join(folder, 'moods.csv');
  await writeFile(data, moods.join('\n'));
  const path = join(folder, `${name}.json`);
  const spec = {
    task: 'text-classification',
    model: 'scratch:tiny',
    method: 'full',
    data: { train: data, eval: 0.2, columns: { text: 'text', label: 'label' } },
    hyper: { batchSize: 8, maxLength: 16, ...hyper },
    device: 'cpu',
    out: join(folder, `${name}-out`),
  };
  await writeFile(path, JSON.stringify(spec));
  return { path, out: spec.out };
}

describe('finetutor', () => {
  it('explains itself and every command', async () => {
    const { code, out } = await run(['--help']);
    expect(code).toBe(0);
    expect(out).toContain('Usage: finetutor');
    const program = createProgram();
    const leaves = program.commands.flatMap((command) => (command.commands.length > 0 ? command.commands : [command]));
    expect(leaves.map((command) => command.name())).toEqual([
      'start',
      'chat',
      'ask',
      'train',
      'predict',
      'export',
      'check',
      'export',
      'doctor',
      'deploy-commands',
    ]);
    for (const command of leaves) expect(command.helpInformation()).toMatch(/^Usage: finetutor .*\n\n\S.{20,}/);
  });

  it('refuses what it does not know, saying how it is used', async () => {
    const { code, err } = await run(['trane']);
    expect(code).not.toBe(0);
    expect(err).toMatch(/unknown command 'trane'[\s\S]*train/);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const { child, ended } = launch(['quiz', 'export', '--json']);
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 0, err: '' });
  });
});

describe('ask', () => {
  it('answers JSON lines in order, says what is wrong with a bad one and goes on, without a database', async () => {
    const questions = [
      '{"id": "a", "question": "what is overfitting?"}',
      '{"id": "b"}',
      'not json',
      '{"id": 4, "turns": [{"role": "user", "text": "what is LoRA?"}, {"role": "assistant", "text": "A method."}, {"role": "user", "text": "what is its rank?"}]}',
      '{"id": "e", "question": "who won the football match yesterday?"}',
    ];
    const ended = await run(['ask', '--jsonl'], questions.join('\n'), {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    });
    const answers = ended.lines();
    expect(answers.map(({ id }) => id)).toEqual(['a', 'b', null, 4, 'e']);
    expect(answers[0]).toMatchObject({
      abstained: false,
      answer: expect.stringMatching(/overfit/i),
      confidence: expect.any(Number),
    });
    expect(Object.keys(answers[0] ?? {}).sort()).toEqual([
      'abstained',
      'answer',
      'citations',
      'confidence',
      'id',
      'passages',
    ]);
    const [citation] = Object(answers[0]).citations;
    expect(Object.keys(citation).sort()).toEqual(['chapter', 'quote', 'section', 'title']);
    expect(citation.chapter).toBe('overfitting-underfitting');
    const [passage] = Object(answers[0]).passages;
    expect(Object.keys(passage).sort()).toEqual(['chapter', 'score', 'section', 'text']);
    expect(answers[1]).toEqual({ id: 'b', error: expect.stringContaining('needs "question"') });
    expect(answers[2]).toEqual({ id: null, error: expect.stringContaining('not JSON') });
    expect(answers[3]).toMatchObject({ abstained: false, answer: expect.stringMatching(/rank/i) });
    expect(answers[4]).toMatchObject({ abstained: true, citations: [] });
    expect(ended.code).toBe(1);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  it('answers a person in words, with the sources', async () => {
    const { code, out } = await run(['ask', 'what', 'is', 'overfitting?']);
    expect(code).toBe(0);
    expect(out).toMatch(/overfit/i);
    expect(out).toContain('From the guide');
    expect(out).not.toContain('**');
  });
});

describe('ask, where a group has documents', () => {
  const question = ['ask', 'how long do we keep the badge of a visitor at Brambleton?'];
  const house = () => join(folder, 'house');
  beforeAll(async () => {
    const note = join(folder, 'house-rules.md');
    await writeFile(note, '# House rules\n\nThe badge of a visitor at Brambleton is kept for nine days at the gate.\n');
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const engine = await createEngine({
      dataDir: house(),
      databaseUrl: undefined,
      device: 'cpu',
      guide: loadGuide(),
      workers: 0,
      now: () => new Date(),
      log,
    });
    for (const workspaceId of ['local', 'T1']) await engine.conversations.openWorkspace(workspaceId, workspaceId);
    const from = { path: note, name: 'house-rules.md' };
    await engine.material.add({
      where: { workspaceId: 'local', channelId: undefined },
      shared: true,
      personId: 'ada',
      from,
    });
    await engine.close();
  }, 90_000);

  it('answers from them, for their workspace only', async () => {
    const { code, out } = await run(question, '', { DATA_DIR: house() });
    expect(code).toBe(0);
    expect(out).toContain('nine days');
    const elsewhere = await run([...question, '--workspace', 'T1'], '', { DATA_DIR: house() });
    expect(elsewhere.out).not.toContain('nine days');
  }, 90_000);

  it('has a language model word the answer, and falls back when it is gone', async () => {
    const server = await startLlmServer();
    server.do = () => ({ kind: 'write', words: 'Visitors keep it for nine days at the gate. [1]' });
    const more = { DATA_DIR: house(), LLM_BASE_URL: server.baseUrl, LLM_MODEL: 'tiny-chat' };
    const asked = await run(['ask', '--jsonl'], JSON.stringify({ id: 1, question: question[1] }), more);
    expect(server.requests[0]?.passages[0]?.text).toContain('kept for nine days');
    expect(server.complaints).toEqual([]);
    expect(asked.lines()[0]).toMatchObject({ id: 1, abstained: false, citations: [{ chapter: /^document:/ }] });
    await server.close();
    const alone = await run(question, '', more);
    expect(alone.code).toBe(0);
    expect(alone.out).toContain('nine days');
  }, 90_000);

  it('answers from the guide, saying why, while a bot has the database open', async () => {
    const { child, written } = launch(['chat'], { DATA_DIR: house() });
    await expect.poll(() => written.out, { timeout: 60_000 }).toMatch(/ready|Ask/i);
    const { code, out, err } = await run(['ask', 'what', 'is', 'overfitting?'], '', { DATA_DIR: house() });
    child.kill('SIGTERM');
    expect(code).toBe(0);
    expect(out).toMatch(/overfit/i);
    expect(err).toMatch(/documents are not asked/);
  }, 90_000);
});

describe('train and predict', () => {
  it('train prints the events and nothing else, and predict classifies with what it made', async () => {
    const { path, out } = await writeSpec('small', { epochs: 2 });
    const trained = await run(['train', path, '--events']);
    const events = trained.lines();
    expect(trained.code).toBe(0);
    expect(events[0]).toMatchObject({ type: 'start', trainExamples: 48, evalExamples: 12 });
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['step', 'eval', 'done']));
    expect(events.at(-1)).toMatchObject({ type: 'done', artifact: out });
    expect(await readdir(out)).toContain('model.safetensors');
    expect(existsSync(join(folder, 'data'))).toBe(false);

    const predicted = await run(
      ['predict', out, '--jsonl'],
      '{"id": 1, "text": "good happy"}\n{"id": 2}\n{"id": 3, "text": "bad sad"}\n',
    );
    const [first, bad, last] = predicted.lines();
    expect(first).toMatchObject({ id: 1, label: expect.stringMatching(/^(up|down)$/) });
    expect(Object.values(Object(first).scores).reduce((sum: number, score) => sum + Number(score), 0)).toBeCloseTo(1);
    expect(bad).toEqual({ id: 2, error: expect.stringContaining('text') });
    expect(last).toMatchObject({ id: 3 });
    expect(predicted.code).toBe(1);
  });

  it('Ctrl-C stops with a checkpoint, and --resume goes on from it', async () => {
    const { path } = await writeSpec('long', { epochs: 100 });
    const { child, written, ended } = launch(['train', path, '--events']);
    await expect.poll(() => written.out, { timeout: 25_000 }).toContain('"type":"step"');
    child.kill('SIGINT');
    const stopped = await ended;
    expect(stopped.code).toBe(130);
    const last = stopped.lines().at(-1);
    expect(last).toMatchObject({ type: 'stopped' });

    const again = launch(['train', path, '--events', '--resume']);
    await expect.poll(() => again.written.out, { timeout: 25_000 }).toContain('\n');
    again.child.kill('SIGINT');
    expect((await again.ended).lines()[0]).toMatchObject({ type: 'start', step: last?.step });
  });

  it.each([
    [
      'a spec that is out of bounds',
      '{"task":"text-classification","data":{"train":"x.csv"},"hyper":{"learningRate":-1,"loraRank":0},"out":"o"}',
      /learningRate is -1.*loraRank is 0/,
    ],
    ['a spec that is not JSON', '{"task":', /is not JSON/],
    [
      'data that is not there',
      '{"task":"text-classification","data":{"train":"/no/such.csv"},"out":"/tmp/none"}',
      /such\.csv/,
    ],
  ])('train refuses %s with an error event and exit 1', async (_, spec, message) => {
    const path = join(folder, 'bad.json');
    await writeFile(path, spec);
    const ended = await run(['train', path, '--events']);
    expect(ended.lines()).toEqual([
      expect.objectContaining({ type: 'error', message: expect.stringMatching(message) }),
    ]);
    expect(ended.code).toBe(1);
  });

  it('predict says so when there is no model', async () => {
    const { code, err } = await run(['predict', join(folder, 'nothing'), 'words']);
    expect(code).toBe(1);
    expect(err).toContain('holds no finished model');
  });
});

describe('dataset check, quiz export, doctor', () => {
  it('dataset check reports as JSON, and refuses with a reason', async () => {
    const good = join(folder, 'good.csv');
    await writeFile(good, moods.join('\n'));
    expect((await run(['dataset', 'check', good, '--json'])).lines()).toEqual([
      expect.objectContaining({
        ok: true,
        rows: 60,
        textColumn: 'text',
        labels: [
          { label: 'down', count: 30 },
          { label: 'up', count: 30 },
        ],
      }),
    ]);
    const binary = join(folder, 'binary.csv');
    await writeFile(binary, Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]));
    for (const path of [binary, join(folder, 'absent.csv')]) {
      const refused = await run(['dataset', 'check', path, '--json']);
      expect(refused.code).toBe(1);
      expect(refused.lines()).toEqual([{ ok: false, error: expect.any(String), hint: expect.any(String) }]);
    }
  });

  it('quiz export gives every item with a correction for each wrong choice', async () => {
    const { out } = await run(['quiz', 'export', '--json']);
    const list = z
      .array(z.object({ id: z.string(), choices: z.array(z.object({ feedback: z.string() })) }))
      .parse(JSON.parse(out));
    expect(list.length).toBeGreaterThanOrEqual(40);
    expect(new Set(list.map(({ id }) => id)).size).toBe(list.length);
    expect(list.every(({ choices }) => choices.every(({ feedback }) => feedback.length > 0))).toBe(true);
  });

  it('doctor shows the machine and the settings, and never a secret', async () => {
    const ended = await run(['doctor', '--json'], '', { HF_TOKEN: 'hf_K7q9secretK7q9' });
    const [diagnosis] = ended.lines();
    expect(diagnosis).toMatchObject({
      ok: true,
      node: { version: process.versions.node, ok: true },
      cores: expect.any(Number),
      memory: { totalBytes: expect.any(Number) },
      database: { kind: 'embedded', ok: true },
      folders: [{ writable: true }],
    });
    expect(Object(diagnosis).providers).toContain('cpu');
    expect(ended.out).not.toContain('K7q9');
    expect(ended.out).toContain('17 characters');
  });

  it('doctor names what is wrong and exits 1', async () => {
    const ended = await run(['doctor'], '', { DEVICE: 'tpu', DATABASE_URL: '' });
    expect(ended.code).toBe(1);
    expect(ended.out).toContain('DEVICE is "tpu"');
  });
});

describe('start', () => {
  it('is ready, answers, keeps a second process out of its data, and ends on SIGTERM', async () => {
    const first = launch(['start']);
    await expect.poll(() => first.written.out + first.written.err, { timeout: 60_000 }).toMatch(/ready in \d+ ms/);
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(first.written.out)?.[0];
    expect((await fetch(`${address}/`)).status).toBe(200);

    const second = await run(['chat']);
    expect(second.code).toBe(1);
    expect(second.err.split('\n').length).toBeLessThan(5);

    first.child.kill('SIGTERM');
    expect((await first.ended).code).toBe(0);
  }, 90_000);

  it('names PORT when the port is taken, and leaves nothing running', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const taken = Object(holder.address()).port;
    const { code, err } = await run(['start'], '', { PORT: String(taken), DATA_DIR: join(folder, 'other') });
    holder.close();
    expect(code).toBe(1);
    expect(err).toContain(`Port ${taken}`);
    expect(err).toContain('PORT');
  }, 60_000);

  it('refuses wrong settings before it does anything', async () => {
    const { code, err } = await run(['start'], '', { PORT: 'abc', LOG_LEVEL: 'loud', DATA_DIR: join(folder, 'never') });
    expect(code).toBe(1);
    expect(err).toContain('PORT is "abc"');
    expect(err).toContain('LOG_LEVEL is "loud"');
    expect(existsSync(join(folder, 'never'))).toBe(false);
  });
});

describe('chat', () => {
  it('answers what is piped in, then ends', async () => {
    const { code, out } = await run(['chat'], 'help\nwhat is overfitting?\nquizz\n', {
      DATA_DIR: join(folder, 'chat'),
    });
    expect(out).toContain('I teach machine learning');
    expect(out).toContain('From the guide');
    expect(out).toContain('Did you mean quiz?');
    expect(code).toBe(0);
  }, 60_000);
});
