/** Serves the built page on loopback, below a folder whose name nobody can guess. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join } from 'node:path';
import { CommandError } from '../command-error.ts';
import type { LivePages } from './live-pages.ts';
import { isLocal } from './local-requests.ts';
import { acceptSockets } from './page-sockets.ts';

const LOOPBACK = '127.0.0.1';
const TOKEN_BYTES = 18;
const INDEX = 'index.html';
const TRACES = 'traces/index.json';
/** As the page names it. */
const LIVE = 'live';
const YOURS = 'yours';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
};

/** A trace that the page offers besides those that come with it. */
interface PageTrace {
  readonly path: string;
  readonly title: string;
}

export interface PageServerOptions {
  readonly trace?: PageTrace;
  /** Name of a scenario or of a trace that comes with the page and is opened first. */
  readonly first?: string;
  /** Those that show a machine that runs; they get a WebSocket. */
  readonly live?: LivePages;
}

export interface PageServer {
  /** Of the page, with the token in it: other users of this machine do not know it. */
  readonly url: string;
  close(): void;
}

/** A name of the page, and what is there. */
type Files = ReadonlyMap<string, () => Uint8Array>;

/** @throws CommandError when the page is not built */
export async function servePage(options: PageServerOptions = {}): Promise<PageServer> {
  const { trace, live, first = trace && YOURS } = options;
  const files = pageFiles(trace);
  const folder = `/${randomBytes(TOKEN_BYTES).toString('base64url')}/`;
  const server = createServer(({ url = '', method, headers }, response) => {
    const { pathname } = new URL(url, `http://${LOOPBACK}`);
    const name = pathname === folder ? INDEX : pathname.slice(folder.length);
    const isAsked = isLocal(headers) && pathname.startsWith(folder);
    const read = isAsked ? files.get(name) : undefined;
    if (read === undefined || (method !== 'GET' && method !== 'HEAD')) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', TYPES[extname(name)] ?? 'application/octet-stream');
    response.setHeader('cache-control', 'no-store');
    response.setHeader('referrer-policy', 'no-referrer');
    response.end(method === 'HEAD' ? undefined : read());
  });
  if (live !== undefined) acceptSockets(server, `${folder}${LIVE}`, live);
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  const { port } = server.address() as AddressInfo;
  const shown = live !== undefined ? '#live' : first !== undefined ? `#trace=${first}` : '';
  return {
    url: `http://${LOOPBACK}:${port}${folder}${shown}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Those that are there now, and no others: no request names a path. */
function pageFiles(trace: PageTrace | undefined): Files {
  const dist = join(
    dirname(createRequire(import.meta.url).resolve('@viommu/web/package.json')),
    'dist',
  );
  if (!existsSync(join(dist, INDEX))) {
    throw new CommandError(
      'the page is not built: `npm start` builds it, and so does `pnpm build`',
    );
  }
  const files = new Map<string, () => Uint8Array>();
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(dist.length + 1), () => readFileSync(path));
  }
  if (trace === undefined) return files;
  const known = JSON.parse(readFileSync(join(dist, TRACES), 'utf8')) as object[];
  const yours = { name: YOURS, title: trace.title, url: 'traces/yours.vtrace' };
  files.set(yours.url, () => readFileSync(trace.path));
  files.set(TRACES, () => Buffer.from(JSON.stringify([yours, ...known])));
  return files;
}
