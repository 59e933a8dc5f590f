// `npm run gpu:install`: fetches onnxruntime's CUDA provider, which the npm package leaves out, by onnxruntime's own script.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const home = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(
    `onnxruntime's CUDA provider for Node exists for linux/x64 only; this is ${process.platform}/${process.arch}.\nUse DEVICE=webgpu, or DEVICE=cpu.`,
  );
  process.exit(1);
}
const driver = spawnSync('nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader'], {
  encoding: 'utf8',
});
if (driver.status !== 0) {
  console.error('No NVIDIA driver answers (nvidia-smi): install the driver first; the CUDA provider needs it.');
  process.exit(1);
}
console.log(`GPU: ${driver.stdout.trim()}\nFetching the CUDA 12 provider from NuGet (about 300 MB)…`);
const { status } = spawnSync(
  process.execPath,
  [join(home, 'script', 'install.js'), '--onnxruntime-node-install=cuda12'],
  { stdio: 'inherit', cwd: home, env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'cuda12' } },
);
if (status !== 0) {
  console.error('The CUDA provider could not be fetched: api.nuget.org must be reachable. Nothing else has changed.');
  process.exit(1);
}
console.log(
  'Done. The CUDA 12 runtime and cuDNN 9 must be installed too; `npm run -s cli -- doctor` tries the device.',
);
