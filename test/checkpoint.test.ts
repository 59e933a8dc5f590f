// Checkpoints in: from folders and from a hub, whole or in shards, in any float format; what is wrong is said at the door.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createGraph } from '../engine/graph/graph.ts';
import { createSession } from '../engine/graph/session.ts';
import { loadBaseFolder, resolveBase } from '../engine/models/base.ts';
import { fetchFromHub, parseHubModel } from '../engine/models/hub.ts';
import { startHubServer } from './support/hub-server.ts';
import { safetensorsBytes, tiny_config, tinyWeights, writeTinyModel } from './support/tiny-model.ts';

const home = await mkdtemp(join(tmpdir(), 'finetutor-checkpoint-'));
afterAll(() => rm(home, { recursive: true }));

const layouts = [
  { dtype: 'F32', shards: 1 },
  { dtype: 'F16', shards: 1 },
  { dtype: 'BF16', shards: 3 },
] as const;

for (const layout of layouts) {
  test(`${layout.dtype} in ${layout.shards} file(s) reads as the numbers that were written, and in place as well`, async () => {
    const folder = join(home, `${layout.dtype}-${layout.shards}`);
    await writeTinyModel(folder, layout);
    const base = await loadBaseFolder(folder);
    const g = createGraph();
    const truth = tinyWeights();
    for (const [name, { shape, data }] of truth) {
      const weight = base.weights.get(name);
      expect(weight?.shape).toEqual(shape);
      expect((await weight?.load())?.data).toEqual(data);
      if (!weight?.inPlace) throw new Error(`${name} cannot be used in place`);
      g.output(name, g.external(shape, weight.inPlace.range, weight.inPlace.type));
    }
    const session = await createSession(g.graph, { device: 'cpu' });
    const answers = await session.run({});
    await session.close();
    for (const [name, { data }] of truth) expect(answers[name]?.data, name).toEqual(data);
  });
}

describe('a folder that cannot be used is refused, naming the file and what does not fit', () => {
  const cases: readonly (readonly [string, (folder: string) => Promise<void>, RegExp])[] = [
    [
      'a missing shard',
      (folder) => rm(join(folder, 'model-00002-of-00003.safetensors')),
      /lacks the shard model-00002-of-00003\.safetensors/,
    ],
    [
      'a shard that lacks a tensor of the index',
      (folder) => writeFile(join(folder, 'model-00002-of-00003.safetensors'), safetensorsBytes([])),
      /model-00002-of-00003\.safetensors has no tensor bert\./,
    ],
    [
      'an index that points out of the folder',
      (folder) =>
        writeFile(
          join(folder, 'model.safetensors.index.json'),
          JSON.stringify({ weight_map: { w: '../secret.safetensors' } }),
        ),
      /names the file "\.\.\/secret\.safetensors"/,
    ],
    [
      'an index that is none',
      (folder) => writeFile(join(folder, 'model.safetensors.index.json'), '{}'),
      /has no weight_map/,
    ],
    [
      'a config of another size',
      (folder) => writeFile(join(folder, 'config.json'), JSON.stringify({ ...tiny_config, hidden_size: 64 })),
      /tensor bert\.embeddings\.word_embeddings\.weight is \[300, 32\]; config\.json asks for \[300, 64\]/,
    ],
    [
      'a vocabulary larger than the embedding',
      (folder) => writeFile(join(folder, 'config.json'), JSON.stringify({ ...tiny_config, vocab_size: 20 })),
      /the tokenizer has \d+ entries, the embedding 20/,
    ],
    [
      'an architecture nobody knows',
      (folder) => writeFile(join(folder, 'config.json'), JSON.stringify({ ...tiny_config, model_type: 'mamba9' })),
      /the architecture "mamba9" is not supported/,
    ],
  ];
  for (const [title, spoil, message] of cases) {
    test(title, async () => {
      const folder = await mkdtemp(join(home, 'bad-'));
      await writeTinyModel(folder, { shards: 3 });
      await spoil(folder);
      await expect(loadBaseFolder(folder)).rejects.toThrow(message);
    });
  }
});

describe('from the hub', () => {
  const id = 'tiny-lab/bert-tiny';

  async function startHub(token?: string) {
    const folder = await mkdtemp(join(home, 'served-'));
    await writeTinyModel(folder, { shards: 2 });
    await writeFile(join(folder, 'pytorch_model.bin'), 'never to be fetched');
    const server = await startHubServer({ id, folder, ...(token === undefined ? {} : { token }) });
    const cacheDir = await mkdtemp(join(home, 'cache-'));
    return { server, folder, hub: { cacheDir, endpoint: server.url } };
  }

  test('a model is fetched once, only the files we read, and then served from the cache without the hub', async () => {
    const { server, folder, hub } = await startHub();
    const base = await resolveBase(id, [], hub);
    expect(base).toMatchObject({ source: id, fresh: false });
    const kept = join(hub.cacheDir, 'models--tiny-lab--bert-tiny', 'snapshots', 'a'.repeat(40));
    expect((await readdir(kept)).filter((name) => !name.startsWith('.')).sort()).toEqual(
      (await readdir(folder)).filter((name) => name !== 'pytorch_model.bin').sort(),
    );
    for (const name of await readdir(folder)) {
      if (name === 'pytorch_model.bin') continue;
      expect(await readFile(join(kept, name))).toEqual(await readFile(join(folder, name)));
    }
    server.requests.length = 0;
    await resolveBase(id, [], hub);
    // A branch may have moved: the hub is asked which commit it is, and nothing is fetched again.
    expect(server.requests).toEqual([`GET /api/models/${id}/revision/main`]);
    await server.close();
    // The hub out of reach: what is kept serves, by branch and by commit.
    await resolveBase(id, [], hub);
    await resolveBase(`${id}@${'a'.repeat(40)}`, [], { ...hub, offline: true });
  });

  test('a file that arrives damaged is refused by its hash, and the next attempt mends it', async () => {
    const { server, hub } = await startHub();
    server.damaged = 'model-00001-of-00002.safetensors';
    await expect(resolveBase(id, [], hub)).rejects.toThrow(
      /model-00001-of-00002\.safetensors arrived damaged: its SHA-256 is/,
    );
    server.damaged = undefined;
    expect((await resolveBase(id, [], hub)).weights.size).toBeGreaterThan(30);
    await server.close();
  });

  test('a gated model says what to do, with a token and without; the token never shows', async () => {
    const { server, hub } = await startHub('hf_right');
    const refusal = (token?: string) =>
      resolveBase(id, [], { ...hub, token }).then(
        () => 'accepted',
        (error: { message: string; hint: string }) => `${error.message} ${error.hint}`,
      );
    expect(await refusal()).toMatch(/HTTP 401.*private, gated.*set HF_TOKEN/);
    const wrong = await refusal('hf_wrong');
    expect(wrong).toMatch(/HTTP 401.*check that the token may read it/);
    expect(wrong).not.toContain('hf_wrong');
    expect(await refusal('hf_right')).toBe('accepted');
    await server.close();
  });

  test('no such model, a hub that is down, and a hub switched off each get their own words', async () => {
    const { server, hub } = await startHub();
    await expect(resolveBase('tiny-lab/other', [], hub)).rejects.toThrow(
      /has no model tiny-lab\/other with the revision main/,
    );
    server.fail = 503;
    await expect(resolveBase(id, [], hub)).rejects.toThrow(/could not be downloaded from http:\/\/127\.0\.0\.1/);
    await server.close();
    await expect(resolveBase(id, [], hub)).rejects.toThrow(/could not be downloaded/);
    await expect(resolveBase(id, [], { ...hub, offline: true })).rejects.toThrow(/hub is switched off/);
  });

  test('a repository of pickles is refused before anything is fetched', async () => {
    const { server, folder, hub } = await startHub();
    for (const name of await readdir(folder)) if (name.includes('safetensors')) await rm(join(folder, name));
    await expect(fetchFromHub({ id, revision: 'main' }, hub)).rejects.toThrow(/pytorch_model\.bin: a pickle/);
    expect(server.requests.filter((request) => request.includes('/resolve/'))).toEqual([]);
    await server.close();
  });

  test('only names of models are taken for hub ids', () => {
    expect(parseHubModel('org/name@v1.0')).toEqual({ id: 'org/name', revision: 'v1.0' });
    expect(parseHubModel('gpt2')).toEqual({ id: 'gpt2', revision: 'main' });
    for (const text of ['../etc/passwd', '/abs/path', 'a/b/c', 'org/name?x=1', 'org/..', 'a b', '', 'http://x/y']) {
      expect(parseHubModel(text), text).toBeUndefined();
    }
  });
});
