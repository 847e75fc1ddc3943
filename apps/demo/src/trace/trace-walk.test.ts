/** Through a recorded boot, a translation that is walked through comes to where the backend comes. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { walkTranslation } from '@viommu/inspector';
import { TRANSLATION_OK } from '@viommu/iommu-core';
import { ReplayMachine, TraceReader } from '@viommu/trace';
import { ACCESS_READ, ACCESS_WRITE } from '@viommu/virtqueue';
import { expect, it } from 'vitest';
import { shippedTrace } from './shipped-traces.ts';

const EVERY = 400;
const PAGE = 4096;
/** What firmware and kernel use, and where nothing is. */
const ADDRESSES = [
  0,
  0x9_f000,
  0xf_0000,
  0x10_0000,
  0x0b5e_a000,
  0x2000_0000,
  0xfee0_0000,
  2 ** 40,
];

it('walks through both stages of a device that Linux passes on, bypassed by firmware and mapped by user space', () => {
  const reader = new TraceReader();
  const steps = [...reader.push(gunzipSync(readFileSync(shippedTrace('x86_64-passthrough'))))];
  const replay = new ReplayMachine(reader.header!);
  const { iommus, endpoints } = replay.machine;
  const { device, backend, passThrough } = iommus[0]!;
  const run = { physical: 0, length: 0 };
  const out = { physical: 0, length: 0, bypass: false };
  /** Walks to the host's memory, by how they went. */
  const ended = { bypassed: 0, mapped: 0, refused: 0 };
  for (const step of steps) {
    replay.apply(step);
    if (step.index % EVERY !== 0) continue;
    for (const { endpoint } of endpoints) {
      const addresses = [...ADDRESSES];
      for (const { domain } of device.attachments()) {
        device.mappingsOf(domain ?? -1)?.visit(0, 2 ** 52, (virtStart, virtEnd) => {
          addresses.push(virtStart, virtEnd, virtEnd + 1);
          return addresses.length < 100;
        });
      }
      for (const address of addresses) {
        const access = (address / PAGE) % 2 < 1 ? ACCESS_READ : ACCESS_WRITE;
        const { refused, stage2, guestPhysical, bypass } = walkTranslation(
          iommus[0]!,
          endpoint,
          address,
          access,
        );
        const code = backend.translate(endpoint, address, 1, access, out);
        expect(refused === undefined).toBe(code === TRANSLATION_OK);
        if (refused !== undefined) ended.refused += 1;
        else if (stage2 === undefined) expect(guestPhysical).toBe(out.physical);
        else {
          expect(stage2.hostPhysical).toBe(out.physical);
          expect(passThrough!.host.pin(stage2.userAddress!, 1, 0, run)).toBe(true);
          expect(stage2.hostPhysical).toBe(run.physical);
          if (bypass) ended.bypassed += 1;
          else ended.mapped += 1;
        }
      }
    }
  }
  expect(ended.bypassed).toBeGreaterThan(50);
  expect(ended.mapped).toBeGreaterThan(50);
  expect(ended.refused).toBeGreaterThan(500);
});
