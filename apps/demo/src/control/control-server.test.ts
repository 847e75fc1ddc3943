/** The control socket, as a client sees it that knows the protocol, and as one that does not. */
import { existsSync, statSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ControlHarness } from './fixtures/control-harness.ts';

let harness: ControlHarness;

beforeEach(() => {
  harness = new ControlHarness();
});
afterEach(() => harness.close());

const line = (value: unknown) => `${JSON.stringify(value)}\n`;

it('is a private socket, which goes with the server', () => {
  expect(statSync(harness.path).mode & 0o777).toBe(0o600);
  const { path } = harness;
  harness.close();
  expect(existsSync(path)).toBe(false);
  harness = new ControlHarness();
});

it('greets, and answers line by line, in order', async () => {
  const client = harness.connect();
  client.socket.write(`${line({ id: 1, command: 'rules' })}{"id":"b","comm`);
  expect(await client.lines(2)).toEqual([
    { viommu: 'control', version: 1 },
    { id: 1, result: { rules: [] } },
  ]);
  client.socket.write(`and":"clear"}\n${line({ command: 'rules' })}`);
  expect((await client.lines(4)).slice(2)).toEqual([
    { id: 'b', result: { cleared: 0 } },
    { id: null, result: { rules: [] } },
  ]);
});

it('answers what was asked before the client hung up', async () => {
  const client = harness.connect();
  client.socket.end(line({ command: 'rules' }).repeat(20));
  await client.hungUp();
  expect(client.text.split('\n')).toHaveLength(22);
});

it.each([
  ['no JSON', 'list\n', 'a line has to be one JSON object'],
  ['no object', '[1]\n', 'a line has to be one JSON object'],
  ['null', 'null\n', 'a line has to be one JSON object'],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 10]), 'a line has to be one JSON object'],
  ['no command', '{}\n', '"command" has to be one of list, stat, '],
  ['an inherited name', line({ command: 'constructor' }), '"command" has to be one of list, '],
  ['an unknown field', line({ command: 'list', all: 1 }), 'list has no "all"'],
  ['a field that is missing', line({ command: 'dump' }), 'dump: "domain" has to be a number from'],
  ['a domain that is none', line({ command: 'dump', domain: 1.5 }), '"domain" has to be a number'],
  ['a domain that is not there', line({ command: 'dump', domain: 3 }), 'there is no domain 3'],
  ['no such IOMMU', line({ command: 'reset', iommu: 1 }), '"iommu" has to be a number from 0 to 0'],
  [
    'an unknown endpoint',
    line({ command: 'fault', endpoint: '00:07.0', address: 0 }),
    'there is no endpoint 00:07.0; there are 00:05.0, 00:06.0',
  ],
  [
    'an address beyond all',
    line({ command: 'translate', endpoint: 40, address: 2 ** 60 }),
    '"address" has to be a number from 0 to 9007199254740991',
  ],
  ['no rules', line({ command: 'inject', rules: {} }), 'inject: "rules" has to be a list'],
  ['a rule not there', line({ command: 'clear', rule: 9 }), 'there is no rule 9'],
])('answers %s with an error, and goes on', async (_, bytes, error) => {
  const client = harness.connect();
  client.socket.write(bytes);
  client.socket.write(line({ command: 'rules' }));
  const [, refused, answered] = await client.lines(3);
  expect(refused?.error).toContain(error);
  expect(answered).toEqual({ id: null, result: { rules: [] } });
});

it('hangs up at a line that is too long', async () => {
  const client = harness.connect();
  client.socket.write('x'.repeat(70_000));
  await client.hungUp();
  expect(client.text).toContain('a line has at most 65536 bytes');
});

it('turns away a ninth client, and serves it when another has gone', async () => {
  const clients = Array.from({ length: 8 }, () => harness.connect());
  for (const client of clients) await client.lines(1);
  const ninth = harness.connect();
  await ninth.hungUp();
  expect(ninth.text).toBe('');
  expect(harness.log.join()).toContain('a client was turned away: 8 are connected');
  clients[3]!.socket.destroy();
  await clients[3]!.hungUp();
  expect(await harness.connect().lines(1)).toHaveLength(1);
});

it('does not listen to a client that does not read, and drops one that watches and does not', async () => {
  const greedy = harness.connect();
  await greedy.lines(1);
  greedy.socket.pause();
  // More than the kernel keeps for a socket, both ways.
  const request = line({ command: 'stat' }).padStart(500);
  for (let count = 0; count < 5_000; count += 1) greedy.socket.write(request);
  const watcher = harness.connect();
  watcher.socket.write(line({ command: 'watch' }));
  await watcher.lines(2);
  watcher.socket.pause();
  for (let round = 0; round < 20_000 && harness.log.length === 0; round += 1) {
    expect(harness.driver.attach(1, 0x28)).toBe(0);
    if (round % 64 === 0) await harness.serveUntil(Promise.resolve());
  }
  expect(harness.log).toEqual([expect.stringContaining('a client was dropped that does not read')]);
  expect(await harness.ctl('rules')).toEqual({ rules: [] });
  expect(greedy.socket.writableLength).toBeGreaterThan(0);
  greedy.socket.resume();
  await greedy.lines(5_001);
});
