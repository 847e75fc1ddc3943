/** What the driver changes while the device reads it: each request is checked and carried out as one and the same. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { VirtioIommuDevice } from '@viommu/iommu-core';
import { simBackend } from '@viommu/pviommu-sim';
import { createVirtioPciFunction, type VirtioPciFunction } from '@viommu/transport-pci';
import { createPciDriverTransport } from '@viommu/transport-pci/driver';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { initializeDevice } from '@viommu/virtqueue/driver';
import { restoreSnapshots } from '@viommu/virtqueue/snapshot';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import {
  AVAIL,
  DESCRIPTORS,
  MEMORY_LENGTH,
  QUEUE_SIZE,
  RESETS,
  RESTARTS,
  type RewritingSetting,
  STOP,
  USED,
} from './fixtures/rewriting-setting.ts';

/** Until that many requests of each kind were granted, and that many resets done: more on a machine that has time. */
const GRANTED = 30;
const RESETS_DONE = 3;
const [LEAST_MILLISECONDS, MOST_MILLISECONDS] = [1000, 150_000];
const NEEDS_RESET = 0x40;
const INDIRECT_DESC = 1n << 28n;

function createIommu(errors: string[] = []) {
  const logger = { debug() {}, info() {}, warn() {}, error: (line: string) => errors.push(line) };
  const device = new VirtioIommuDevice({
    backend: simBackend(),
    endpoints: [{ id: 8 }, { id: 9 }],
    logger,
  });
  return { device, pci: createVirtioPciFunction({ device, logger }) };
}

const hostOf = (memory: ArrayGuestMemory) => ({
  memory,
  ownsMsixTable: false,
  signalMsix() {},
  setIntx() {},
});

/** Nothing is in the state that no driver could have asked for: another device takes it, which checks each mapping. */
function expectSound(pci: VirtioPciFunction, memory: ArrayGuestMemory): void {
  const other = createIommu().pci;
  other.connect(hostOf(memory));
  const snapshot = JSON.parse(JSON.stringify(pci.snapshot()));
  restoreSnapshots([{ name: 'IOMMU', target: other, snapshot }]);
  expect(other.snapshot()).toEqual(snapshot);
}

it.each([1, 2])(
  'seed %d',
  async (seed) => {
    const entry = fileURLToPath(new URL('./fixtures/rewriting-thread.ts', import.meta.url));
    const { outputFiles } = await build({
      ...{ entryPoints: [entry], bundle: true, format: 'cjs', platform: 'node', write: false },
    });
    const buffer = new SharedArrayBuffer(MEMORY_LENGTH);
    const signals = new SharedArrayBuffer(12);
    const shared = new Int32Array(signals);
    const memory = new ArrayGuestMemory([{ base: 0, buffer }]);
    const errors: string[] = [];
    const { device, pci } = createIommu(errors);
    pci.connect(hostOf(memory));
    const transport = createPciDriverTransport(pci);
    const up = () => {
      transport.writeStatus(0);
      Atomics.store(new Uint16Array(buffer), USED / 2 + 1, 0);
      const resets = Atomics.add(shared, RESETS, 1) + 1;
      while (Atomics.load(shared, RESTARTS) !== resets);
      initializeDevice(transport, {
        features: 0x77n | INDIRECT_DESC,
        setUpQueues: () =>
          transport.enableQueue(0, {
            size: QUEUE_SIZE,
            descriptorArea: DESCRIPTORS,
            driverArea: AVAIL,
            deviceArea: USED,
          }),
      });
    };
    const workerData: RewritingSetting = { memory: buffer, signals, seed };
    const worker = new Worker(outputFiles[0]!.text, { eval: true, workerData, execArgv: [] });
    const exited = once(worker, 'exit');
    await once(worker, 'online');
    up();
    let resets = 0;
    const { map, unmap, attach } = device.counters.requests;
    const isEnough = () =>
      resets >= RESETS_DONE &&
      [map, unmap, attach].every(({ byStatus }) => byStatus[0]! >= GRANTED);
    const begin = performance.now();
    const passed = () => performance.now() - begin;
    while (passed() < LEAST_MILLISECONDS || (!isEnough() && passed() < MOST_MILLISECONDS)) {
      for (let turn = 0; turn < 200; turn += 1) {
        transport.notifyQueue(0);
        pci.service();
        if ((transport.readStatus() & NEEDS_RESET) === 0) continue;
        if (resets % 10 === 0) expectSound(pci, memory);
        up();
        resets += 1;
      }
    }
    expectSound(pci, memory);
    Atomics.store(shared, STOP, 1);
    await exited;
    expect(errors).toEqual([]);
    expect(isEnough()).toBe(true);
    // Refusals came up as well.
    for (const { total, byStatus } of [map, unmap]) expect(total).toBeGreaterThan(byStatus[0]!);
  },
  200_000,
);
