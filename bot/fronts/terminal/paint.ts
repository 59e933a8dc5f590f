// Colours of the terminal, or none: the person's NO_COLOR and a pipe both mean plain text.
import pico from 'picocolors';

export type Paint = Pick<
  ReturnType<typeof pico.createColors>,
  'bold' | 'italic' | 'dim' | 'cyan' | 'green' | 'red' | 'yellow'
>;

export function createPaint(colours: boolean): Paint {
  return pico.createColors(colours);
}
