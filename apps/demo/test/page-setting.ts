/** What the tests of the page share: a server of its files, and a real browser, or the reason why there is none. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { delimiter, dirname, extname, join, normalize } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
};
/** The page must work in any folder. */
const FOLDER = '/some/folder/';

/** $VIOMMU_BROWSER, or a Chromium that is in the path. */
export const browserPath = process.env.VIOMMU_BROWSER || findInPath();
if (browserPath === undefined) {
  process.stderr.write(
    'tests of the page are skipped: there is no Chromium in the path; install one, or name it in VIOMMU_BROWSER\n',
  );
}

function findInPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}

export interface PageServer {
  /** Of the page. */
  readonly url: string;
  close(): void;
}

/** Serves the built page on loopback. */
export async function servePage(): Promise<PageServer> {
  const manifest = createRequire(import.meta.url).resolve('@viommu/web/package.json');
  const dist = join(dirname(manifest), 'dist');
  if (!existsSync(join(dist, 'index.html'))) {
    throw new Error('the page is not built: run turbo run build --filter=@viommu/web');
  }
  const server: Server = createServer(({ url = '' }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const name = pathname === FOLDER ? 'index.html' : pathname.slice(FOLDER.length);
    const file = join(dist, normalize(`/${name}`));
    if (!pathname.startsWith(FOLDER) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${FOLDER}`, close: () => server.close() };
}
