/** FrameTurns: terminal and page draw in frames by turns. In one frame they would keep the user waiting twice as long. */
import { frameDrawn } from '../page/frames.ts';

export type Drawer = 'terminal' | 'page';

export class FrameTurns {
  /** Who draws in the next frame. */
  #drawer: Drawer | undefined;
  /** What is for the one after it, in the order in which it came. */
  #waiting: (() => void)[] = [];

  /** @param work changes what `drawer` draws in the next frame; begun now, or when another has drawn */
  take(drawer: Drawer, work: () => void): void {
    // There are no frames then, and what waits would pile up.
    if (document.hidden) {
      for (const next of this.#waiting.splice(0)) next();
      work();
      return;
    }
    if (this.#drawer !== undefined && this.#drawer !== drawer) {
      this.#waiting.push(() => this.take(drawer, work));
      return;
    }
    work();
    if (this.#drawer !== undefined) return;
    this.#drawer = drawer;
    frameDrawn().then(() => {
      this.#drawer = undefined;
      for (const next of this.#waiting.splice(0)) next();
    });
  }
}
