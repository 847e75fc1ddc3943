/** frameDrawn: when all that has changed is drawn; also what cuts long work in pieces between which the page can answer. */

/** A frame calls before it lays out and paints: what follows on it is a task of its own. */
export function frameDrawn(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}
