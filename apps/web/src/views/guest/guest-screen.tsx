/** The guest's terminal in the page. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { GuestSession } from '../../guest/guest-session.ts';
import type { GuestTerminal } from '../../guest/terminal.ts';
import { frameDrawn } from '../../page/frames.ts';

/** Beside the page; not part of it, since most who come have no use for it. */
const SCRIPT = 'terminal.js';

export function GuestScreen({ guest }: { readonly guest: GuestSession }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let terminal: GuestTerminal | undefined;
    let isGone = false;
    const open = async (): Promise<void> => {
      const url = new URL(SCRIPT, document.baseURI).href;
      const { openTerminal }: typeof import('../../guest/terminal.ts') = await import(url);
      await frameDrawn();
      if (isGone) return;
      const opened = openTerminal(place.current!, (text) => guest.type(text));
      terminal = opened;
      await frameDrawn();
      if (isGone) return;
      opened.focus();
      guest.boot((bytes) => opened.write(bytes));
    };
    open().catch((error: unknown) => guest.fail(String(error)));
    return () => {
      isGone = true;
      terminal?.close();
    };
  }, [guest]);
  return (
    <div
      class="screen"
      ref={place}
      role="application"
      aria-label="Serial port of the guest; Shift+Tab leaves it"
    />
  );
}
