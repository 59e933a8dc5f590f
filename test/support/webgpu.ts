// Runs a script of test/support in a process of its own with a WebGPU driver: SwiftShader, where Debian's Chromium brought it.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A Vulkan driver in software; its own loader lies beside it. */
const swiftshader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** @returns the JSON that the script printed. */
export async function runOnWebgpu(script: URL): Promise<unknown> {
  const vulkan = existsSync(swiftshader)
    ? { VK_ICD_FILENAMES: swiftshader, LD_LIBRARY_PATH: dirname(swiftshader) }
    : {};
  const options = { env: { ...vulkan, ...process.env }, timeout: 240_000 };
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', fileURLToPath(script)], options);
  return JSON.parse(stdout);
}
