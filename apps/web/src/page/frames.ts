/** Frames: when to draw what has changed, and when it is drawn. */

/** Also what cuts long work in pieces between which the page can answer. */
export function frameDrawn(): Promise<void> {
  // A frame calls before it lays out and paints: what follows on it is a task of its own.
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

/**
 * @returns has `callback` called once before the next frame, however often it is called itself: whoever draws between two frames
 *   waits for the first to end, as soon as it asks where something is
 */
export function onceAFrame(callback: () => void): () => void {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      callback();
    });
  };
}
