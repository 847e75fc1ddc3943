/** Serves the page that shows a machine while it runs: what `--web` of `serve` and `linux` does. */
import type { ServerWatcher } from '../server/server-messages.ts';
import { LivePages } from './live-pages.ts';
import { servePage } from './page-server.ts';

export interface LivePage {
  /** Of the page, with the token in it. */
  readonly url: string;
  /** For the server whose machine it shows. */
  readonly watcher: ServerWatcher;
  /** @param reason why there is nothing more to see; pages that are open say it, and keep what they have */
  close(reason: string): Promise<void>;
}

/** @throws CommandError when the page is not built */
export async function serveLivePage(): Promise<LivePage> {
  const pages = new LivePages();
  const { url, close } = await servePage({ live: pages });
  return {
    url,
    watcher: pages,
    async close(reason) {
      await pages.end(reason);
      close();
    },
  };
}
