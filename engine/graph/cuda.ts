// What CUDA needs beside onnxruntime itself, looked for piece by piece: onnxruntime's own error names only the first it misses.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';

interface MissingPiece {
  readonly name: string;
  /** What to do about it. */
  readonly next: string;
}

export interface CudaLook {
  /** Whether an NVIDIA GPU is there at all. */
  readonly gpu: boolean;
  /** In the order in which to mend them; empty where everything was found. */
  readonly missing: readonly MissingPiece[];
}

/** What can be seen of a machine. */
export interface CudaSights {
  readonly system: string;
  readonly gpu: boolean;
  /** Whether onnxruntime's CUDA provider lies beside its own library. */
  readonly provider: boolean;
  hasLibrary(name: string): boolean;
}

/** NVIDIA's CUDA repository: https://docs.nvidia.com/cuda/cuda-installation-guide-linux */
const fromRepository = (what: string) =>
  `apt-get install ${what} from NVIDIA’s CUDA repository, or its like for your system`;

/** What the provider for CUDA 12 is linked against, and which package has it. */
const libraries: readonly MissingPiece[] = [
  { name: 'libcuda.so.1', next: 'install NVIDIA’s driver, version 525 or newer' },
  { name: 'libcudart.so.12', next: fromRepository('cuda-cudart-12-8') },
  { name: 'libcublas.so.12', next: fromRepository('libcublas-12-8') },
  { name: 'libcublasLt.so.12', next: fromRepository('libcublas-12-8') },
  { name: 'libcurand.so.10', next: fromRepository('libcurand-12-8') },
  { name: 'libcufft.so.11', next: fromRepository('libcufft-12-8') },
  { name: 'libcudnn.so.9', next: fromRepository('libcudnn9-cuda-12') },
];

export function findMissing({ system, gpu, provider, hasLibrary }: CudaSights): CudaLook {
  if (system !== 'linux/x64') {
    const next = 'use webgpu, or cpu';
    return { gpu, missing: [{ name: `CUDA for ${system} (onnxruntime for Node has it for linux/x64 alone)`, next }] };
  }
  return {
    gpu,
    missing: [
      ...(gpu ? [] : [{ name: 'an NVIDIA GPU', next: 'use webgpu, or cpu' }]),
      ...(provider ? [] : [{ name: 'onnxruntime’s CUDA provider', next: 'npm run gpu:install' }]),
      ...libraries.filter(({ name }) => !hasLibrary(name)),
    ],
  };
}

/** A sentence for each piece. */
export const describeMissing = ({ missing }: CudaLook): readonly string[] =>
  missing.map(({ name, next }) => `${name} is missing: ${next}.`);

/** @param folder where onnxruntime's own libraries lie. */
export function lookForCuda(folder: string): CudaLook {
  const known = listLibraries();
  const folders = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter((path) => path !== '');
  return findMissing({
    system: `${platform()}/${arch()}`,
    gpu: existsSync('/dev/nvidia0') || existsSync('/proc/driver/nvidia/version') || hasWslGpu(),
    provider: existsSync(join(folder, 'libonnxruntime_providers_cuda.so')),
    hasLibrary: (name) => known.includes(`${name} `) || folders.some((path) => existsSync(join(path, name))),
  });
}

/** Windows lends its GPU to Linux under this name. */
const hasWslGpu = () => existsSync('/dev/dxg');

/** The loader's list of libraries; nothing where it cannot be asked. */
function listLibraries(): string {
  try {
    return execFileSync('/sbin/ldconfig', ['-p'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}
