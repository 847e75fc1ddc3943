/** The colours of the style sheet, for what is drawn on a canvas. */

/** @param name of a custom property of the page, such as `--line` */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** @returns what ends it */
export function onColoursChange(changed: () => void): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', changed);
  return () => dark.removeEventListener('change', changed);
}
