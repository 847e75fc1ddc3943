/** The terminal of the guest. A script of its own, which the page loads only when there is a guest. */
import { Terminal } from '@xterm/xterm';

export interface GuestTerminal {
  write(bytes: Uint8Array): void;
  focus(): void;
  close(): void;
}

/** As the guest is told. */
const SIZE = { cols: 80, rows: 24 };
const SCROLLBACK = 2000;

/** @param onType told what is typed, as a serial port has it */
export function openTerminal(place: HTMLElement, onType: (text: string) => void): GuestTerminal {
  const terminal = new Terminal({
    ...SIZE,
    scrollback: SCROLLBACK,
    fontSize: 12,
    fontFamily: 'ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace',
    theme: { background: '#101820', foreground: '#dbe6f0' },
  });
  terminal.onData(onType);
  // Otherwise nobody who has no mouse would come out of it: it takes the key for itself without Shift.
  terminal.attachCustomKeyEventHandler(({ key, shiftKey }) => !(key === 'Tab' && shiftKey));
  terminal.open(place);
  return {
    write: (bytes) => terminal.write(bytes),
    focus: () => terminal.focus(),
    close: () => terminal.dispose(),
  };
}
