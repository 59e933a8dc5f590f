// What stands on the terminal: prints messages above the prompt and redraws the last one in place while it is still the last.
import type { Interface } from 'node:readline';
import { clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import type { Writable } from 'node:stream';

export interface TerminalOutput extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Screen {
  readonly width: () => number;
  /** Prints a message below everything else. With an `id` it can be redrawn until something else is printed. */
  print(text: string, id?: string): void;
  /** Redraws the message in place. @returns false when it is no longer the last thing on the screen. */
  redraw(text: string, id: string): boolean;
  /** The person has typed a line: whatever was last has moved up. */
  typed(): void;
}

/** @param prompt the line being typed, which is kept below what is printed; undefined before there is one. */
export function createScreen(output: TerminalOutput, prompt: () => Interface | undefined): Screen {
  let last: { readonly id: string; readonly rows: number } | undefined;

  function clearPrompt() {
    cursorTo(output, 0);
    const { rows } = prompt()?.getCursorPos() ?? { rows: 0 };
    if (rows > 0) moveCursor(output, 0, -rows);
    clearScreenDown(output);
  }

  function write(text: string, id: string | undefined) {
    output.write(`${text}\n\n`);
    last = id === undefined ? undefined : { id, rows: text.split('\n').length + 1 };
    if (output.isTTY) prompt()?.prompt(true);
  }

  return {
    width: () => Math.min(output.columns ?? 80, 100),
    print(text, id) {
      if (output.isTTY) clearPrompt();
      write(text, id);
    },
    redraw(text, id) {
      const rows = output.rows ?? 24;
      if (!output.isTTY || last?.id !== id || last.rows >= rows - 1) return false;
      clearPrompt();
      moveCursor(output, 0, -last.rows);
      clearScreenDown(output);
      write(text, id);
      return true;
    },
    typed() {
      last = undefined;
    },
  };
}
