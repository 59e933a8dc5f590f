// What `auto` means here: the fastest device by measurement where there is a graphics processor, else the processor.
import { readdirSync } from 'node:fs';
import { platform } from 'node:os';
import { type CudaLook, lookForCuda } from './cuda.ts';
import type { DeviceSpeed } from './device-speeds.ts';
import { type Device, librariesFolder } from './session.ts';

export interface ChosenDevice {
  readonly device: Device;
  /** In words that follow a colon. */
  readonly why: string;
}

/** What a choice is made from; a machine is looked at only as far as it is needed. */
export interface DeviceSights {
  hasGraphics(): boolean;
  measure(): Promise<readonly DeviceSpeed[]>;
}

export interface DeviceLook {
  readonly speeds: readonly DeviceSpeed[];
  /** What `auto` means for a model that is not small. */
  readonly auto: ChosenDevice;
  readonly cuda: CudaLook;
}

/**
 * Below so many parameters nothing is measured: setting out for a graphics processor takes a node some 20 µs, and a small
 * model's nodes are done on the processor by then.
 */
const smallModel = 10e6;
/** How many times faster in matrix products another device must be: weights, batches and compiling take their way too. */
const worthwhile = 2;

export async function chooseDevice(
  asked: 'auto' | Device,
  parameters: number,
  sights: DeviceSights = machine,
): Promise<ChosenDevice> {
  if (asked !== 'auto') return { device: asked, why: 'as asked for' };
  if (!sights.hasGraphics()) return { device: 'cpu', why: 'no graphics processor is here' };
  if (parameters < smallModel)
    return { device: 'cpu', why: 'so small a model gains nothing from a graphics processor' };
  return pickFastest(await sights.measure());
}

/** The processor, unless another device is worth the way: a software renderer never is. */
export function pickFastest(speeds: readonly DeviceSpeed[]): ChosenDevice {
  const usable = speeds.flatMap((speed) => ('problem' in speed ? [] : [speed]));
  const cpu = usable.find(({ device }) => device === 'cpu');
  const [best] = usable.filter(({ device }) => device !== 'cpu').sort((a, b) => b.matmulGflops - a.matmulGflops);
  const inWords = ({ device, matmulGflops }: { readonly device: string; readonly matmulGflops: number }) =>
    `${device} does ${matmulGflops < 10 ? matmulGflops.toPrecision(2) : matmulGflops.toFixed(0)} GFLOP/s`;
  const measured = usable.map(inWords).join(', ');
  if (!best)
    return { device: 'cpu', why: `no graphics processor can be used${measured === '' ? '' : `; ${measured}`}` };
  const isWorthIt = !cpu || (best.matmulGflops > worthwhile * cpu.matmulGflops && best.bandwidthGBs > cpu.bandwidthGBs);
  return { device: isWorthIt ? best.device : 'cpu', why: measured };
}

/** Measures all devices: seconds of work. */
export async function lookAtDevices(): Promise<DeviceLook> {
  const speeds = await machine.measure();
  const auto = await chooseDevice('auto', Number.POSITIVE_INFINITY, { ...machine, measure: async () => speeds });
  return { speeds, auto, cuda: lookForCuda(librariesFolder()) };
}

const machine: DeviceSights = {
  hasGraphics,
  async measure() {
    const { measureDevices } = await import('./device-speeds.ts');
    return measureDevices();
  },
};

/** Linux shows its graphics processors as files; elsewhere there is one as good as always. */
function hasGraphics(): boolean {
  if (platform() !== 'linux') return true;
  return ['/dev', '/dev/dri'].some((folder) =>
    namesIn(folder).some((name) => /^(nvidia\d+|dxg|renderD\d+)$/.test(name)),
  );
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
