/** What the server of the page gives, and to whom. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import { shippedTrace } from '../trace/shipped-traces.ts';
import { type PageServer, servePage } from './page-server.ts';

describe('the server of the page', () => {
  const path = shippedTrace('x86_64-pci');
  let server: PageServer;
  let base: URL;

  beforeEach(async () => {
    server = await servePage({ trace: { path, title: 'mine' } });
    base = new URL(server.url);
  });

  afterEach(() => server.close());

  const get = (name: string, method = 'GET') => fetch(new URL(name, base), { method });

  it('is on loopback, and gives the page below its token', async () => {
    expect(base.hostname).toBe('127.0.0.1');
    expect(base.pathname).toMatch(/^\/[\w-]{24}\/$/);
    expect(await (await get('')).text()).toContain('<html');
    const { headers } = await get('main.js');
    expect(headers.get('content-type')).toContain('javascript');
  });

  it('offers the trace of the user before those that come with it', async () => {
    const [mine, ...shipped] = (await (await get('traces/index.json')).json()) as {
      title: string;
      url: string;
    }[];
    expect(mine).toMatchObject({ title: 'mine' });
    expect(shipped.length).toBeGreaterThan(5);
    const bytes = new Uint8Array(await (await get(mine!.url)).arrayBuffer());
    expect([bytes[0], bytes[1]]).toEqual([0x1f, 0x8b]);
  });

  it.each([
    ['the list, when nothing is named', {}, ''],
    ['the trace of the user', { trace: { path, title: 'mine' } }, '#trace=yours'],
    ['what is named', { first: 'scenario-1' }, '#trace=scenario-1'],
  ])('opens the page at %s', async (_name, options, hash) => {
    const other = await servePage(options);
    other.close();
    expect(new URL(other.url).hash).toBe(hash);
  });

  it.each([
    ['without the token', '/index.html', 'GET'],
    ['with another token', '/AAAAAAAAAAAAAAAAAAAAAAAA/index.html', 'GET'],
    ['a file that is none of the page', '../package.json', 'GET'],
    ['a path that climbs', '..%2f..%2fpackage.json', 'GET'],
    ['anything but reading', 'index.html', 'POST'],
  ])('refuses %s', async (_name, name, method) => {
    expect((await get(name, method)).status).toBe(404);
  });
});

it.each([
  ['a replay of nothing', ['replay'], 'name a trace, or give --web'],
  [
    'a page and an object',
    ['replay', shippedTrace('x86_64-pci'), '--web', '--json'],
    "option '--web' cannot be used with option '--json'",
  ],
  [
    'a page and a place to stop',
    ['replay', '--web', '--upto', '7'],
    "option '--web' cannot be used with option '--upto <number>'",
  ],
  ['a file that is no trace', ['replay', import.meta.filename ?? '', '--web'], 'this is no trace'],
  [
    'a page and a transport',
    ['demo', 'passthrough', '--web', '--transport', 'mmio'],
    "option '--web' cannot be used with option '--transport <bus>'",
  ],
  [
    'a page and the transport that it has anyway',
    ['demo', '--transport', 'pci', '--web'],
    "option '--web' cannot be used with option '--transport <bus>'",
  ],
])('%s is refused in one line', async (_name, args, message) => {
  const errors: string[] = [];
  expect(await runCommandLine(args, (text) => errors.push(text))).not.toBe(0);
  expect(errors.join('')).toContain(message);
  expect(errors.join('').trimEnd()).not.toContain('\n');
});
