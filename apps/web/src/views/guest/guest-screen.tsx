/** The guest's terminal in the page. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { GuestSession } from '../../guest/guest-session.ts';
import type { GuestTerminal } from '../../guest/terminal.ts';

/** Beside the page; not part of it, since most who come have no use for it. */
const SCRIPT = 'terminal.js';

export function GuestScreen({ guest }: { readonly guest: GuestSession }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let terminal: GuestTerminal | undefined;
    let isGone = false;
    const url = new URL(SCRIPT, document.baseURI).href;
    import(url).then(({ openTerminal }: typeof import('../../guest/terminal.ts')) => {
      if (isGone || place.current === null) return;
      const opened = openTerminal(place.current, (text) => guest.type(text));
      terminal = opened;
      guest.listen((bytes) => opened.write(bytes));
      opened.focus();
    });
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
