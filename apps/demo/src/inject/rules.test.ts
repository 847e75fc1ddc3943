/** Rules of fault injection, by the control socket, while a driver sends requests. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ControlHarness, ENGINE, RNG } from '../control/fixtures/control-harness.ts';
import { readRulesFile } from './read-rules-file.ts';

const [OK, NOMEM] = [0, 8];
let harness: ControlHarness;

beforeEach(() => {
  harness = new ControlHarness();
  harness.driver.attach(7, RNG);
  harness.driver.attach(9, ENGINE, 1);
});
afterEach(() => harness.close());

const inject = (...rules: object[]) => harness.ctl('inject', { rules });
const injected = () =>
  harness.posted.flatMap((message) => (message.type === 'injected' ? [message.text] : []));

/** Statuses of MAPs of one page each, in domain 7. */
function mapPages(count: number): number[] {
  return Array.from({ length: count }, (_, page) =>
    harness.driver.map(7, page * 0x1000, page * 0x1000 + 0xfff, 0x5000),
  );
}

it.each([
  ['the first, without more', {}, [NOMEM, OK, OK, OK, OK]],
  ['the third', { nth: 3 }, [OK, OK, NOMEM, OK, OK]],
  ['each second', { every: 2 }, [OK, NOMEM, OK, NOMEM, OK]],
  ['all of a domain', { every: 1, domain: 7 }, [NOMEM, NOMEM, NOMEM, NOMEM, NOMEM]],
  ['none of another domain', { every: 1, domain: 8 }, [OK, OK, OK, OK, OK]],
  ["the second of an endpoint's domain", { nth: 2, endpoint: '00:05.0' }, [OK, NOMEM, OK, OK, OK]],
  ['none of another endpoint', { every: 1, endpoint: '00:06.0' }, [OK, OK, OK, OK, OK]],
  ['those with flags', { every: 1, flags: 3 }, [NOMEM, NOMEM, NOMEM, NOMEM, NOMEM]],
  ['none with other flags', { every: 1, flags: 2 }, [OK, OK, OK, OK, OK]],
  ['none of another kind', { request: 'UNMAP', every: 1 }, [OK, OK, OK, OK, OK]],
])('answers of MAPs %s with a status', async (_, conditions, statuses) => {
  await inject({ do: 'status', status: 'NOMEM', request: 'MAP', ...conditions });
  expect(mapPages(5)).toEqual(statuses);
  expect(injected()).toHaveLength(statuses.filter((status) => status === NOMEM).length);
});

it('tells what it did, and how often', async () => {
  const client = harness.connect();
  client.socket.write('{"command":"watch"}\n');
  await client.lines(2);
  await inject({ do: 'status', status: 'NOMEM', request: 'MAP', nth: 2 });
  mapPages(3);
  const told =
    'MAP domain 7 virt_start 0x1000 virt_end 0x1fff phys_start 0x5000 flags 3: answered S_NOMEM, not carried out';
  expect(injected()).toEqual([told]);
  expect((await client.lines(6)).map(({ text }) => text)).toContain(`rule 1: ${told}`);
  const rule = { do: 'status', status: 'NOMEM', request: 'MAP', nth: 2 };
  expect(await harness.ctl('rules')).toEqual({ rules: [{ id: 1, fitted: 3, hits: 1, rule }] });
  expect(await harness.ctl('rules', {}, false)).toMatch(/1 │ +1 │ +3 │ \{"do":"status"/);
  expect(await harness.ctl('clear', { rule: 1 })).toEqual({ cleared: 1 });
  expect(await harness.ctl('rules', {}, false)).toBe('no rules');
});

it('holds an answer as long as it says, and answers others meanwhile', async () => {
  await inject({ do: 'hold', milliseconds: 60, request: 'MAP' });
  const start = performance.now();
  expect(mapPages(2)).toEqual([-1, OK]);
  harness.driver.interrupts.length = 0;
  while (harness.driver.interrupts.length === 0) await harness.serveUntil(setTimeout(1));
  const waited = performance.now() - start;
  expect(waited).toBeGreaterThan(55);
  expect(waited).toBeLessThan(2_000);
  expect(harness.machine.iommus[0]!.device.mappingsOf(7)?.size).toBe(2);
});

it('reports a short used length', async () => {
  await inject({ do: 'used-length', length: 0, request: 'DETACH' });
  expect(harness.driver.detach(7, RNG)).toBe(-1);
  expect((await harness.ctl('list')).iommus[0].endpoints[0].domain).toBeNull();
});

it('drops the report of a fault', async () => {
  await inject({ do: 'drop-event', endpoint: RNG, domain: 7, nth: 2 });
  const told = [];
  for (let fault = 0; fault < 3; fault += 1) {
    harness.driver.giveEventBuffer();
    const fields = { endpoint: RNG, address: 0x9_0000 };
    told.push((await harness.ctl('fault', fields)).delivered);
  }
  expect(told).toEqual([true, false, true]);
  expect(injected()).toEqual(['fault of endpoint 0x28: its report is dropped']);
});

it('asks for a reset behind a request', async () => {
  await inject({ do: 'needs-reset', request: 'MAP' });
  expect(mapPages(1)).toEqual([OK]);
  expect(harness.driver.needsReset).toEqual([]);
  await harness.ctl('rules');
  expect(harness.driver.needsReset).toEqual(['a rule of fault injection']);
});

it.each([
  ['no action', {}, 'a rule: "do" has to be one of status, hold, used-length, drop-event, needs-'],
  ['no status', { do: 'status' }, 'a rule: "status" has to be one of OK, IOERR, '],
  ['a wait that is too long', { do: 'hold', milliseconds: 1e6 }, 'a number from 1 to 5000'],
  ['an unknown request', { do: 'hold', milliseconds: 1, request: 'map' }, 'ATTACH, DETACH, MAP'],
  ['an unknown endpoint', { do: 'drop-event', endpoint: '0x99' }, 'there is no endpoint 0x99'],
  ['a request of a fault', { do: 'drop-event', request: 'MAP' }, 'it takes no "request"'],
  ['nth and every', { do: 'drop-event', nth: 1, every: 1 }, 'choose "nth", for that one alone'],
  ['an unknown field', { do: 'drop-event', address: 1 }, 'a rule has no "address"'],
])('refuses a rule with %s, and those that came with it', async (_, rule, message) => {
  await expect(inject({ do: 'drop-event' }, rule)).rejects.toThrow(message);
  expect(await harness.ctl('rules')).toEqual({ rules: [] });
});

it('has room for 64', async () => {
  await inject(...Array.from({ length: 60 }, () => ({ do: 'drop-event' })));
  const more = Array.from({ length: 5 }, () => ({ do: 'drop-event' }));
  await expect(inject(...more)).rejects.toThrow('there can be 64 rules; clear some first');
});

it('are read from a file when the server starts', async () => {
  const file = join(harness.folder, 'rules.json');
  writeFileSync(file, '[{ "do": "status", "status": "NOMEM", "request": "MAP" }]');
  const rules = readRulesFile('--inject', file);
  harness.close();
  harness = new ControlHarness({ rules });
  harness.driver.attach(7, RNG);
  expect(mapPages(2)).toEqual([NOMEM, OK]);
});
