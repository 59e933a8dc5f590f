// Which device a run gets and why, what CUDA misses, and what the installer of its provider says when it cannot go on.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { describeDevices } from '../bot/cli/devices.ts';
import { chooseDevice, pickFastest } from '../engine/graph/choose-device.ts';
import { findMissing } from '../engine/graph/cuda.ts';
import type { DeviceSpeed } from '../engine/graph/device-speeds.ts';

const speed = (device: 'cpu' | 'webgpu' | 'cuda', matmulGflops: number, bandwidthGBs: number): DeviceSpeed => ({
  device,
  cores: 2,
  matmulGflops,
  bandwidthGBs,
  batchedGflops: matmulGflops,
  convolutionGflops: matmulGflops,
  freshGBs: bandwidthGBs,
  transposedGflops: matmulGflops,
  nodeMicroseconds: 5,
});
const cpu = speed('cpu', 300, 12);
const large = 100e6;

describe('the device auto', () => {
  const measured = (speeds: readonly DeviceSpeed[]) => ({ hasGraphics: () => true, measure: async () => speeds });

  test('is the GPU that was measured to be faster, and the reason says the figures', async () => {
    const both = [cpu, speed('webgpu', 9000, 400), speed('cuda', 40_000, 2000)];
    expect(await chooseDevice('auto', large, measured(both))).toEqual({
      device: 'cuda',
      why: 'cpu does 300 GFLOP/s, webgpu does 9000 GFLOP/s, cuda does 40000 GFLOP/s',
    });
    expect(pickFastest(both.slice(0, 2)).device).toBe('webgpu');
  });

  test('is the processor where the only adapter is a software renderer, a little faster, or broken', () => {
    expect(pickFastest([cpu, speed('webgpu', 0.43, 0.5)])).toEqual({
      device: 'cpu',
      why: 'cpu does 300 GFLOP/s, webgpu does 0.43 GFLOP/s',
    });
    expect(pickFastest([cpu, speed('webgpu', 500, 40)]).device).toBe('cpu');
    const broken: DeviceSpeed = { device: 'webgpu', problem: 'Failed to get a WebGPU adapter' };
    expect(pickFastest([cpu, broken])).toEqual({
      device: 'cpu',
      why: 'no graphics processor can be used; cpu does 300 GFLOP/s',
    });
  });

  test('is the processor without measuring where nothing graphical is, and for small models', async () => {
    const unasked = () => Promise.reject(new Error('measured for nothing'));
    const nothing = await chooseDevice('auto', large, { hasGraphics: () => false, measure: unasked });
    expect(nothing).toEqual({ device: 'cpu', why: 'no graphics processor is here' });
    const small = await chooseDevice('auto', 1e6, { hasGraphics: () => true, measure: unasked });
    expect(small.device).toBe('cpu');
    const asked = await chooseDevice('cuda', 1e6, { hasGraphics: () => false, measure: unasked });
    expect(asked.device).toBe('cuda');
  });
});

describe('what CUDA misses', () => {
  const whole = { system: 'linux/x64', gpu: true, provider: true, hasLibrary: () => true };
  const linesFor = (cuda: ReturnType<typeof findMissing>) =>
    describeDevices({ speeds: [cpu], auto: { device: 'cpu', why: 'measured' }, cuda }).slice(2);

  test('is named piece by piece, each with its next step', () => {
    const cuda = findMissing({
      ...whole,
      provider: false,
      hasLibrary: (name) => !['libcudnn.so.9', 'libcublasLt.so.12'].includes(name),
    });
    expect(linesFor(cuda)).toEqual([
      '✗ cuda misses onnxruntime’s CUDA provider: npm run gpu:install',
      expect.stringContaining('✗ cuda misses libcublasLt.so.12: apt-get install libcublas-12'),
      expect.stringContaining('✗ cuda misses libcudnn.so.9: apt-get install libcudnn9-cuda-12'),
    ]);
  });

  test('is nothing where all is there, and no trouble where no NVIDIA GPU is', () => {
    expect(findMissing(whole).missing).toEqual([]);
    expect(linesFor(findMissing({ ...whole, gpu: false, provider: false }))).toEqual(['– cuda: no NVIDIA GPU is here']);
    expect(findMissing({ ...whole, system: 'darwin/arm64' }).missing).toEqual([
      { name: expect.stringContaining('darwin/arm64'), next: 'use webgpu, or cpu' },
    ]);
  });
});

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('gpu:install', () => {
  const folder = mkdtempSync(join(tmpdir(), 'finetutor-smi-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs the installer with this nvidia-smi on its path and no way out to the network. */
  function install(nvidiaSmi: string | undefined, args: readonly string[] = []) {
    rmSync(join(folder, 'nvidia-smi'), { force: true });
    if (nvidiaSmi !== undefined) {
      writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\n${nvidiaSmi}\n`);
      chmodSync(join(folder, 'nvidia-smi'), 0o755);
    }
    const script = fileURLToPath(new URL('../scripts/install-cuda.js', import.meta.url));
    const env = { PATH: folder, GLOBAL_AGENT_HTTPS_PROXY: 'http://127.0.0.1:9' };
    return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env });
  }

  test.each([
    ['no driver', undefined, 'nvidia-smi is not there'],
    [
      'a driver that fails',
      '/bin/echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18',
      'version mismatch',
    ],
    ['no GPU', 'exit 0', 'sees no GPU'],
    ['an old driver', '/bin/echo "Tesla K80, 470.82.01"', 'too old for CUDA 12: Tesla K80, 470.82.01'],
    [
      'no network',
      '/bin/echo "NVIDIA H200, 550.54.15"',
      'could not be fetched: Error: connect ECONNREFUSED 127.0.0.1:9',
    ],
  ])('says what is wrong: %s', (_, nvidiaSmi, said) => {
    const { status, stderr } = install(nvidiaSmi);
    expect(status).toBe(1);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain('    at ');
  });

  test('goes on without a GPU when told to', () => {
    expect(install(undefined, ['--without-gpu']).stderr).toContain('could not be fetched');
  });
});
