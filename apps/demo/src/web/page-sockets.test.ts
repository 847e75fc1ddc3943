/** Who gets a WebSocket of the page server, and what comes over it. */
import { once } from 'node:events';
import { request } from 'node:http';
import { decodeTold } from '@viommu/inspector';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { WANTS_WHOLE } from '../server/watch-board.ts';
import { type LivePage, serveLivePage } from './live-page.ts';

let page: LivePage;
let base: URL;
let sockets: WebSocket[];

beforeEach(async () => {
  page = await serveLivePage();
  base = new URL(page.url);
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.terminate();
  await page.close('the test is over');
});

/** @param headers in the place of those of a browser that has opened the page */
function connect(path: string, headers: Readonly<Record<string, string>> = {}): WebSocket {
  const url = new URL(path, base);
  url.protocol = 'ws:';
  url.hash = '';
  const socket = new WebSocket(url, { headers: { origin: base.origin, ...headers } });
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

/** The status by which it was refused. */
async function refusal(socket: WebSocket): Promise<number> {
  const [, { statusCode }] = await once(socket, 'unexpected-response');
  return statusCode;
}

describe('the WebSocket of a page', () => {
  it('takes a page that was served here, and tells it what the machine says', async () => {
    const socket = connect('live');
    await once(socket, 'open');
    const { board } = page.watcher;
    while (board.takeWants() !== WANTS_WHOLE)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const whole = {
      ...{ time: 7, operation: 0, topology: { iommus: [], endpoints: [] }, domains: [] },
      ...{
        changes: [],
        requests: [],
        faults: [],
        accesses: [],
        traffic: [],
        queues: [],
        latency: [],
        steps: [],
      },
    };
    page.watcher.take({ type: 'watched', changes: undefined, whole, walks: [] });
    const [text] = await once(socket, 'message');
    expect(decodeTold(String(text))).toEqual(whole);
  });

  it('says why it ends, and takes nobody after that', async () => {
    const socket = connect('live');
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await page.close('the guest has ended');
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([1001, 'the guest has ended']);
    const [{ code: refused }] = await once(connect('live'), 'error');
    expect(refused).toBe('ECONNREFUSED');
  });

  it('brings the question of a page', async () => {
    const socket = connect('live');
    await once(socket, 'open');
    const query = { iommu: 1, endpoint: 0x40, address: Number.MAX_SAFE_INTEGER, access: 2 };
    socket.send(JSON.stringify(query));
    const { board } = page.watcher;
    while (board.queries()[0] === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(board.queries()[0]).toEqual(query);
  });

  it.each([
    ['no JSON', 'what is there?', 1008],
    ['nothing', 'null', 1008],
    ['another thing', '{"reset":true}', 1008],
    ['an address that is none', '{"iommu":0,"endpoint":64,"address":-1,"access":1}', 1008],
    ['an access that is none', '{"iommu":0,"endpoint":64,"address":0,"access":0}', 1008],
    ['much more than a question', ' '.repeat(200), 1009],
  ])('ends when a page says %s', async (_name, text, expected) => {
    const socket = connect('live');
    await once(socket, 'open');
    const closed = once(socket, 'close');
    socket.send(text);
    const [code] = await closed;
    expect(code).toBe(expected);
    expect(page.watcher.board.queries().filter((query) => query !== undefined)).toEqual([]);
  });

  it.each([
    ['without the token', '/live', {}, 404],
    ['with another token', '/AAAAAAAAAAAAAAAAAAAAAAAA/live', {}, 404],
    ['to another path', 'lives', {}, 404],
    ['of a page from elsewhere', 'live', { origin: 'http://example.org' }, 403],
    ['of another page of this machine', 'live', { origin: 'http://127.0.0.1:1' }, 403],
    ['of a page without an origin', 'live', { origin: 'null' }, 403],
    [
      'of a page whose name somebody leads here',
      'live',
      { origin: 'http://example.org', host: 'example.org' },
      403,
    ],
  ])('is refused %s', async (_name, path, headers, status) => {
    expect(await refusal(connect(path, headers))).toBe(status);
  });

  it('is there by each name of loopback, and on another port, as an SSH client has it', async () => {
    const socket = connect('live', { origin: 'http://localhost:8080', host: 'localhost:8080' });
    await once(socket, 'open');
  });
});

it('gives no file to a page whose name somebody leads here', async () => {
  const status = await new Promise((resolve, reject) => {
    const asked = request(base, { headers: { host: 'example.org' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });
  expect(status).toBe(404);
});
