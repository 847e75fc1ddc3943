/** What `viommu ctl` shows of an IOMMU and does to it, by a real socket, while a driver sends requests. */
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ControlHarness, ENGINE, RNG } from './fixtures/control-harness.ts';

let harness: ControlHarness;

beforeEach(() => {
  harness = new ControlHarness();
});
afterEach(() => harness.close());

/** Guest memory from 0 to 0xffff. */
function plugEngineIn(): void {
  const memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(0x10000) }]);
  const engine = harness.machine.functions.find(({ name }) => name === 'engine')!;
  engine.function.connect({ memory, ownsMsixTable: false, signalMsix() {}, setIntx() {} });
}

it('list: who is in which domain', async () => {
  harness.driver.attach(7, RNG);
  harness.driver.attach(9, ENGINE, 1);
  harness.driver.map(7, 0x1000, 0x1fff, 0x5000);
  expect(await harness.ctl('list')).toEqual({
    iommus: [
      {
        iommu: 0,
        bypass: false,
        endpoints: [
          { endpoint: RNG, device: '00:05.0', domain: 7 },
          { endpoint: ENGINE, device: '00:06.0', domain: 9 },
        ],
        domains: [
          { domain: 7, bypass: false, mappings: 1 },
          { domain: 9, bypass: true, mappings: 0 },
        ],
      },
    ],
  });
  const text = await harness.ctl('list', {}, false);
  expect(text).toMatch(/00:05\.0 +│ 0x28 +│ +7 /);
  expect(text).toMatch(/00:06\.0 +│ 0x30 +│ +9 +│ untranslated/);
});

it('stat: what was asked, and how it was answered', async () => {
  harness.driver.attach(7, RNG);
  harness.driver.map(7, 0x1000, 0x1fff, 0x5000);
  harness.driver.map(7, 0x1000, 0x1fff, 0x5000);
  const { iommus, endpoints } = await harness.ctl('stat');
  expect(iommus[0].requests.map).toEqual({ total: 2, byStatus: { OK: 1, INVAL: 1 } });
  expect(endpoints[0]).toMatchObject({ device: '00:05.0', translatedBytes: 0, faults: 0 });
  expect(await harness.ctl('stat', {}, false)).toMatch(/map +│ +2 │ +1 │ 1 INVAL/);
});

it('dump: every mapping, in parts', async () => {
  harness.driver.attach(7, RNG);
  const pages = Array.from({ length: 1300 }, (_, index) => 0x10000 + index * 0x2000);
  for (const page of pages) harness.driver.map(7, page, page + 0xfff, 0x5000, 1);
  const { iommu, domain, mappings } = await harness.ctl('dump', { domain: 7 });
  expect([iommu, domain]).toEqual([0, 7]);
  expect(mappings).toEqual(
    pages.map((virtStart) => ({
      ...{ virtStart, virtEnd: virtStart + 0xfff },
      ...{ physStart: 0x5000, flags: 1 },
    })),
  );
  const text = await harness.ctl('dump', { domain: 7 }, false);
  expect(text).toMatch(/0x10000 +│ 0x10fff +│ 0x5000 +│ +4096 │ read /);
});

it.each([
  ['read', 0x1234, 0x5234, null],
  ['write', 0x1234, null, 'the mapping there does not allow it'],
  ['read', 0x2000, null, 'nothing is mapped there'],
])('translate: a %s at %d', async (access, address, guestPhysical, refused) => {
  harness.driver.attach(7, RNG);
  harness.driver.map(7, 0x1000, 0x1fff, 0x5000, 1);
  const before = await harness.ctl('stat');
  const endpoint = '00:05.0';
  const result = await harness.ctl('translate', { endpoint, address, access });
  expect(result).toMatchObject({ domain: 7, bypass: false, guestPhysical, refused });
  expect(await harness.ctl('stat')).toEqual(before);
});

it('translate: an endpoint in no domain', async () => {
  const fields = { endpoint: RNG, address: 0 };
  expect(await harness.ctl('translate', fields, false)).toBe(
    '00:05.0, read at 0x0, in no domain\n-> refused: the endpoint has no domain',
  );
});

it('translate: both stages of a device that is passed through', async () => {
  plugEngineIn();
  harness.driver.attach(7, ENGINE);
  expect(harness.driver.map(7, 0x8000_0000, 0x8000_0fff, 0x3000)).toBe(0);
  const { passThrough, backend } = harness.machine.iommus[0]!;
  const [slot] = passThrough!.slots.slots;
  const out = { physical: 0, length: 0, bypass: false };
  backend.translate(ENGINE, 0x8000_0010, 1, 1, out);
  const result = await harness.ctl('translate', { endpoint: '00:06.0', address: 0x8000_0010 });
  expect(result).toMatchObject({
    guestPhysical: 0x3010,
    userAddress: slot!.userAddress + 0x3010,
    hostPhysical: out.physical,
    refused: null,
  });
  const nowhere = await harness.ctl('translate', { endpoint: '00:06.0', address: 0x100 });
  expect(nowhere).toMatchObject({ userAddress: null, refused: 'nothing is mapped there' });
});

it('fault: a report in the event buffer of the guest', async () => {
  harness.driver.attach(7, RNG);
  harness.driver.giveEventBuffer();
  const fields = { endpoint: '00:05.0', address: 0xdead_b000, access: 'write' };
  expect(await harness.ctl('fault', fields)).toEqual({
    device: '00:05.0',
    reason: 'nothing is mapped there',
    delivered: true,
  });
  const { bytes } = harness.driver.takeEvent()!;
  const report = new DataView(bytes.buffer, bytes.byteOffset);
  expect([bytes[0], report.getUint32(4, true), report.getUint32(8, true)]).toEqual([2, 0x102, RNG]);
  expect(report.getUint32(16, true)).toBe(0xdead_b000);
  expect(await harness.ctl('fault', fields, false)).toContain('the guest was not told');
});

it('fault: nothing where the device may', async () => {
  harness.driver.attach(7, RNG);
  harness.driver.map(7, 0x1000, 0x1fff, 0x5000);
  await expect(harness.ctl('fault', { endpoint: RNG, address: 0x1000 })).rejects.toThrow(
    '00:05.0 may access 0x1000: choose an address that translate refuses',
  );
  harness.driver.attach(8, RNG, 1);
  await expect(harness.ctl('fault', { endpoint: RNG, address: 0x9000 })).rejects.toThrow(
    '00:05.0 is not translated, so nothing is a fault',
  );
});

it('reset: asks the driver for one', async () => {
  expect(await harness.ctl('reset')).toEqual({ iommu: 0 });
  expect(harness.driver.needsReset).toHaveLength(1);
  harness.machine.iommus[0]!.device.reset();
  await expect(harness.ctl('reset')).rejects.toThrow('no driver of the guest is up on IOMMU 0');
});

it('watch: each event as a line', async () => {
  const client = harness.connect();
  client.socket.write('{"command":"watch"}\n');
  await client.lines(2);
  harness.driver.attach(7, RNG);
  harness.driver.map(7, 0x1000, 0x1fff, 0x5000);
  await harness.ctl('fault', { endpoint: RNG, address: 0x7000 });
  harness.machine.iommus[0]!.device.reset();
  const events = (await client.lines(8)).slice(2);
  expect(events.map(({ event, text }) => `${event}: ${text}`)).toEqual([
    'attached: 00:05.0 is in domain 7',
    'request: ATTACH domain 7 endpoint 0x28 flags 0: S_OK',
    'request: MAP domain 7 virt_start 0x1000 virt_end 0x1fff phys_start 0x5000 flags 3: S_OK',
    'fault: 00:05.0 may not read at 0x7000: nothing is mapped there; the guest was not told',
    'detached: 00:05.0 has left domain 7',
    'reset: the guest has reset the IOMMU',
  ]);
});

it('refuses while a trace is recorded what would not be in it', async () => {
  harness.close();
  harness = new ControlHarness({ record: { path: 'none', title: '', versions: {} } });
  for (const command of ['fault', 'reset', 'inject'] as const) {
    await expect(harness.ctl(command)).rejects.toThrow('the server records a trace');
  }
  expect((await harness.ctl('list')).iommus).toHaveLength(1);
});
