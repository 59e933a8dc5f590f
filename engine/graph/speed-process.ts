// Run as a process of its own with a device's name: prints its speed as JSON, or why it cannot be used. A GPU's driver may
// crash the process, and keeps it alive.
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { devices } from './session.ts';
import { measureSpeed } from './speed.ts';

const device = z.enum(devices).parse(process.argv[2]);
try {
  process.stdout.write(JSON.stringify(await measureSpeed(device)));
} catch (error) {
  process.stdout.write(JSON.stringify({ problem: error instanceof UserError ? error.message : String(error) }));
}
process.exit(0);
