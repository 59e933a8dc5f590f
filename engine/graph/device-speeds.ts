// The speed of every device that is installed, each measured in a process of its own.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { type Device, devices, listProviders } from './session.ts';

const answerSchema = z.union([
  z.object({
    cores: z.number(),
    matmulGflops: z.number(),
    batchedGflops: z.number(),
    convolutionGflops: z.number(),
    bandwidthGBs: z.number(),
    freshGBs: z.number(),
    transposedGflops: z.number(),
    nodeMicroseconds: z.number(),
  }),
  z.object({ problem: z.string() }),
]);

export type DeviceSpeed = { readonly device: Device } & z.output<typeof answerSchema>;

const longestMs = 60_000;

export async function measureDevices(): Promise<readonly DeviceSpeed[]> {
  const installed = await listProviders();
  const speeds: DeviceSpeed[] = [];
  // One after the other: they share the machine.
  for (const device of devices) {
    if (installed.includes(device)) speeds.push({ device, ...(await measureApart(device)) });
  }
  return speeds;
}

async function measureApart(device: string): Promise<z.output<typeof answerSchema>> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const script = fileURLToPath(new URL('./speed-process.ts', import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsx, script, device], {
      timeout: longestMs,
    });
    return answerSchema.parse(JSON.parse(stdout));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: `its process ended: ${reason.slice(0, 200)}` };
  }
}
