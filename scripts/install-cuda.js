// `npm run gpu:install`: fetches onnxruntime's CUDA provider, which the npm package leaves out, by onnxruntime's own script.
// `-- --without-gpu` for a machine that will get its GPU later, such as an image that is being built.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const home = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
/** CUDA 12 runs on drivers from here on: https://docs.nvidia.com/deploy/cuda-compatibility */
const oldestDriver = 525;

/**
 * @param {string} message what is wrong, and what to do.
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}

if (process.platform !== 'linux' || process.arch !== 'x64') {
  fail(
    `onnxruntime's CUDA provider for Node exists for linux/x64 only; this is ${process.platform}/${process.arch}.\nUse DEVICE=webgpu, or DEVICE=cpu.`,
  );
}
if (!process.argv.includes('--without-gpu')) checkDriver();
console.log('Fetching the CUDA 12 provider from NuGet (about 300 MB)…');
const { status, stderr } = spawnSync(
  process.execPath,
  [join(home, 'script', 'install.js'), '--onnxruntime-node-install=cuda12'],
  {
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
    cwd: home,
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'cuda12' },
  },
);
if (status !== 0) {
  const reason = /^(?:\w*Error|AggregateError)\b.*$/m.exec(stderr)?.[0] ?? stderr.trim().split('\n').at(-1) ?? '';
  fail(
    `The CUDA provider could not be fetched: ${reason}\nWhat it needs: https://api.nuget.org (behind a proxy, set GLOBAL_AGENT_HTTPS_PROXY) and 1 GB of disk. Then run this again; nothing else has changed.`,
  );
}
console.log('Done. What else CUDA needs, and how fast it is, `npm run -s cli -- doctor` says.');

function checkDriver() {
  const asked = spawnSync('nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader'], {
    encoding: 'utf8',
  });
  if (asked.error) {
    fail(
      'No NVIDIA driver is installed: nvidia-smi is not there. Install the driver first (version 525 or newer), or without a GPU run `npm run gpu:install -- --without-gpu`.',
    );
  }
  if (asked.status !== 0) {
    fail(
      `The NVIDIA driver does not answer: ${(asked.stdout + asked.stderr).trim().split('\n')[0]}\nMend or reinstall it first.`,
    );
  }
  const gpus = asked.stdout.trim();
  if (gpus === '')
    fail('The NVIDIA driver is there, and sees no GPU. Look whether one is plugged in and lent to this machine.');
  const version = /,\s*(\d+)[.\d]*\s*$/m.exec(gpus)?.[1];
  if (version !== undefined && Number(version) < oldestDriver) {
    fail(`The NVIDIA driver is too old for CUDA 12: ${gpus}. It must be ${oldestDriver} or newer.`);
  }
  console.log(`GPU: ${gpus}`);
}
