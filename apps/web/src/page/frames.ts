/** Frames: when what has changed is drawn. */

/** Also what cuts long work in pieces between which the page can answer. */
export function frameDrawn(): Promise<void> {
  // A frame calls before it lays out and paints: what follows on it is a task of its own.
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}
