/** A disk behind the IOMMU is plugged into a running guest, taken out and plugged in again: stock QEMU, stock Linux. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { VirtioBlockDevice } from '@viommu/devices';
import { openFileDisk } from '@viommu/devices/node';
import { VIRTIO_IOMMU_RESV_MEM_T_MSI, VirtioIommuDevice } from '@viommu/iommu-core';
import { simBackend } from '@viommu/pviommu-sim';
import { createVirtioPciFunction } from '@viommu/transport-pci';
import { VfioUserServer } from '@viommu/vfio-user';
import { writeViot } from '@viommu/viot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GuestStep, stepArguments } from '../src/guest/guest-steps.ts';
import { buildInitramfs } from '../src/guest/initramfs.ts';
import { qemuArguments } from '../src/guest/qemu-arguments.ts';
import { runGuest } from '../src/guest/run-guest.ts';
import { makeDiskImage, sha256OfRange } from '../src/linux/disk-image.ts';
import { bootOf, parts } from './guest-setting.ts';
import { Qmp } from './qmp.ts';

const MEBIBYTE = 1 << 20;
const IOMMU = 0x20;
const DISK = 0x28;
/** The one slot of the one root port: bus 1, device 0, function 0. */
const HOT_DISK = 0x100;
const MSI = { subtype: VIRTIO_IOMMU_RESV_MEM_T_MSI, start: 0xfee0_0000, end: 0xfeef_ffff };
const [OFFSET, LENGTH] = [4 * MEBIBYTE, 4 * MEBIBYTE];
const READ_DISK: GuestStep = { step: 'read', disk: 'vda', offset: 0, length: MEBIBYTE };

let folder: string;
const path = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-hotplug-'));
  for (const name of ['disk.img', 'hot.img']) makeDiskImage(path(name), 16 * MEBIBYTE);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** The IOMMU, a disk, and a disk that is an endpoint only while it is plugged in. */
function createServer(events: string[]) {
  const tell = (event: string) => (endpoint: number) => {
    if (endpoint === HOT_DISK) events.push(event);
  };
  const iommu = new VirtioIommuDevice({
    backend: simBackend(),
    endpoints: [{ id: DISK, reserved: [MSI] }],
    observer: {
      endpointAdded: tell('added'),
      attached: tell('attached'),
      detached: tell('detached'),
      endpointRemoved: tell('removed'),
      fault: tell('fault'),
    },
  });
  const server = new VfioUserServer();
  const disks = ['disk.img', 'hot.img'].map((name) => openFileDisk(path(name)));
  const [disk, hotDisk] = disks.map((each, index) => {
    return new VirtioBlockDevice({ disk: each, id: `disk ${index}` });
  }) as [VirtioBlockDevice, VirtioBlockDevice];
  server.listen(path('iommu.sock'), createVirtioPciFunction({ device: iommu }));
  server.listen(
    path('disk.sock'),
    createVirtioPciFunction({
      device: disk,
      memory: (host) => iommu.endpointMemory(DISK, host),
    }),
  );
  server.listen(
    path('hot.sock'),
    createVirtioPciFunction({
      device: hotDisk,
      // QEMU 11.1 aborts when it takes out a vfio-user function that has MSI-X.
      msixVectors: 0,
      memory: (host) => {
        iommu.addEndpoint({ id: HOT_DISK, reserved: [MSI] });
        return iommu.endpointMemory(HOT_DISK, host);
      },
      onDisconnect: () => iommu.removeEndpoint(HOT_DISK),
    }),
  );
  return {
    iommu,
    /** Serves while the guest runs, in this thread. */
    async serveDuring<T>(guest: Promise<T>): Promise<T> {
      let running = true;
      const stop = () => {
        running = false;
      };
      guest.then(stop, stop);
      try {
        while (running) {
          server.poll(1);
          await setImmediate();
        }
        return await guest;
      } finally {
        server.close();
        for (const each of disks) each.close();
      }
    },
  };
}

function viot(): Uint8Array {
  const endpoints = [DISK, HOT_DISK].map((bdf) => ({
    kind: 'pci' as const,
    segmentStart: 0,
    segmentEnd: 0,
    bdfStart: bdf,
    bdfEnd: bdf,
    endpointStart: bdf,
    iommu: 0,
  }));
  return writeViot({ iommus: [{ kind: 'pci', segment: 0, bdf: IOMMU }], endpoints });
}

/** Plugs the disk in and out, by QMP. */
class Slot {
  #qmp: Promise<Qmp> | undefined;
  #last: Promise<void> = Promise.resolve();

  plugIn(): void {
    this.#then(async (qmp) => {
      await qmp.execute('device_add', {
        driver: 'vfio-user-pci',
        id: 'hot',
        bus: 'slot0',
        socket: { type: 'unix', path: path('hot.sock') },
      });
    });
  }

  takeOut(): void {
    this.#then(async (qmp) => {
      await qmp.execute('device_del', { id: 'hot' });
      await qmp.deviceEvent('DEVICE_DELETED', 'hot');
    });
  }

  /** Throws what QEMU refused. */
  async finish(): Promise<void> {
    await this.#last;
    (await this.#qmp)?.close();
  }

  #then(step: (qmp: Qmp) => Promise<void>): void {
    this.#last = this.#last.then(async () => {
      this.#qmp ??= Qmp.connect(path('qmp.sock'));
      await step(await this.#qmp);
    });
    // It is told by `finish`.
    this.#last.catch(() => {});
  }
}

describe.runIf(parts !== undefined)('a disk that comes and goes while the guest runs', () => {
  it('is behind the IOMMU whenever it is there', async () => {
    const { qemu, kernel, busybox, modules, kernelRelease } = parts!;
    const initramfs = path('initramfs.gz');
    buildInitramfs({ busybox, modules, kernelRelease, output: initramfs });
    writeFileSync(path('viot.aml'), viot());
    const events: string[] = [];
    const { iommu, serveDuring } = createServer(events);
    const slot = new Slot();
    let readsOfDisk = 0;
    const steps: GuestStep[] = [
      { step: 'appear', disk: 'vdb' },
      { step: 'write', disk: 'vdb', offset: OFFSET, length: LENGTH },
      { step: 'report' },
      READ_DISK,
      { step: 'vanish', disk: 'vdb' },
      { step: 'report' },
      READ_DISK,
      { step: 'appear', disk: 'vdb' },
      { step: 'read', disk: 'vdb', offset: OFFSET, length: LENGTH },
      { step: 'report' },
    ];
    const run = await serveDuring(
      runGuest({
        qemu,
        arguments: qemuArguments({
          machine: {
            functions: [
              { bdf: IOMMU, socketPath: path('iommu.sock') },
              { bdf: DISK, socketPath: path('disk.sock') },
            ],
            viotFile: path('viot.aml'),
            more: [
              ...['-device', 'pcie-root-port,id=slot0,addr=0x10,chassis=1,slot=1'],
              ...['-qmp', `unix:${path('qmp.sock')},server=on,wait=off`],
            ],
          },
          kernel,
          initramfs,
          append: stepArguments(steps, ['vda']),
        }),
        onFact: (text) => {
          if (text.startsWith('up ')) slot.plugIn();
          if (!text.startsWith('read vda')) return;
          readsOfDisk += 1;
          if (readsOfDisk === 1) slot.takeOut();
          else slot.plugIn();
        },
      }),
    );
    const boot = bootOf(run);
    await slot.finish();
    expect(events.slice(0, 6)).toEqual([
      ...['added', 'attached', 'detached', 'removed'],
      ...['added', 'attached'],
    ]);
    expect(events).not.toContain('fault');
    // In the first and in the third report, with its driver; in the second there is none.
    const found = boot.pci.filter(({ address }) => address === '0000:01:00.0');
    expect(found.map(({ driver }) => driver)).toEqual(['virtio-pci', 'virtio-pci']);
    expect(boot.pci.filter(({ address }) => address === '0000:00:05.0')).toHaveLength(3);
    const joined = boot.log.filter((line) => line.includes('0000:01:00.0: Adding to iommu group'));
    expect(joined).toHaveLength(2);
    const sha256 = sha256OfRange(path('hot.img'), OFFSET, LENGTH);
    expect(boot.writes.map((write) => write.sha256)).toEqual([sha256]);
    const reads = boot.reads.filter(({ disk }) => disk === 'vdb');
    expect(reads.map((read) => read.sha256)).toEqual([sha256, sha256]);
    const { detach, probe } = iommu.counters.requests;
    expect([probe.total, detach.total]).toEqual([3, 1]);
    expect(iommu.endpointCounters(DISK).bypassedWhileDriverUp).toBe(0);
  });
});
