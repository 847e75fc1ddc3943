/** What `viommu linux --json` has to say in each scenario. */
import { expect } from 'vitest';

export type ScenarioName =
  | 'disk'
  | 'passthrough'
  | 'network'
  | 'two-iommus'
  | 'mmio'
  | 'packed'
  | 'identity'
  | 'stray';

interface Facts {
  readonly faults: number;
  /** Each in an IOMMU group of its own. */
  readonly endpoints: number;
  /** Whether all goes by untranslated; false when not given. */
  readonly bypasses?: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: it is what was printed, whatever that is
  facts(result: any): void;
}

const MEBIBYTE = 1 << 20;
const VIRTIO_IDS = { iommu: 23, disk: 2, rng: 4 };
const hex = (address: number): string => `0x${address.toString(16)}`;

const SCENARIO_FACTS: Readonly<Record<ScenarioName, Facts>> = {
  disk: {
    faults: 0,
    endpoints: 2,
    facts({ disk, requests }) {
      expect(disk.bytesRead).toBeGreaterThanOrEqual(80 * MEBIBYTE);
      expect(disk.bytesWritten).toBe(16 * MEBIBYTE);
      expect(disk.sha256Guest).toBe(disk.sha256Host);
      expect(requests.map).toBeGreaterThan(1000);
    },
  },
  passthrough: {
    faults: 2,
    endpoints: 3,
    facts({ passthrough, vmm }) {
      const { walk, copies, kernelLog, guestMappings, hostMappings, accesses } = passthrough;
      // v86 delivers no messages.
      const interrupts = vmm.startsWith('v86') ? 0 : 1;
      expect(passthrough.vectors).toBe(interrupts);
      expect(walk.iova).toBe(walk.virtualAddress);
      const addresses = [walk.iova, walk.guestPhysical, walk.vmmAddress, walk.hostPhysical];
      expect(new Set(addresses).size).toBe(4);
      expect(new Set(addresses.map((address) => address % 4096))).toEqual(new Set([0]));
      const [inside, outside, unmapped] = copies;
      expect(inside).toMatchObject({ length: 524288, status: 2, interrupts, equal: true });
      expect(outside).toMatchObject({ status: 3, interrupts, equal: true });
      expect(outside.errorAddress).toBe(walk.iova + 1048576);
      expect(unmapped).toMatchObject({ status: 3, errorAddress: walk.iova, interrupts });
      expect(kernelLog).toHaveLength(2);
      expect(kernelLog[0]).toContain(`at ${hex(outside.errorAddress)} [R]`);
      expect(guestMappings).toBeGreaterThan(0);
      expect(hostMappings).toBeGreaterThanOrEqual(guestMappings);
      expect(accesses).toBe(256);
    },
  },
  network: {
    faults: 0,
    endpoints: 3,
    facts({ network, dma }) {
      expect(network).toMatchObject({ bytes: 32 * MEBIBYTE, mac: '52:54:00:00:00:48' });
      expect(network.sha256Guest).toMatch(/^[0-9a-f]{64}$/);
      expect(network.sha256Guest).toBe(network.sha256Host);
      expect(network.diskBytesMeanwhile).toBeGreaterThan(0);
      expect(dma.translatedBytes).toBeGreaterThan(64 * MEBIBYTE);
    },
  },
  'two-iommus': {
    faults: 0,
    endpoints: 3,
    facts({ iommus, requests }) {
      const [first, second] = iommus;
      expect([first.disk, second.disk]).toEqual(['00:05.0', '00:0a.0']);
      for (const iommu of iommus) {
        expect(iommu.requests.map).toBeGreaterThan(1000);
        expect(iommu.translatedBytes).toBeGreaterThan(40 * MEBIBYTE);
        expect(iommu.faults).toBe(0);
      }
      expect(requests.map).toBe(first.requests.map + second.requests.map);
    },
  },
  mmio: {
    faults: 0,
    endpoints: 2,
    facts({ mmio, kernel, iommuGroups }) {
      // Linux finds an IOMMU in a window by a device tree only.
      const isArm = kernel.includes('arm64');
      expect(mmio.iommuInWindow).toBe(isArm);
      expect(mmio.windows).toHaveLength(isArm ? 2 : 1);
      for (const { address } of mmio.windows) expect(address % 4096).toBe(0);
      const behind = mmio.devices.filter((device: { behindIommu: boolean }) => device.behindIommu);
      expect(behind.map(({ id }: { id: number }) => id).sort()).toEqual([
        VIRTIO_IDS.disk,
        VIRTIO_IDS.rng,
      ]);
      const grouped = iommuGroups.flatMap((group: { devices: string[] }) => group.devices);
      for (const { device } of behind) expect(grouped).toContain(device);
      expect(mmio.interrupts).toBeGreaterThan(0);
    },
  },
  packed: {
    faults: 0,
    endpoints: 2,
    facts({ packed }) {
      expect(packed.devices.map(({ id }: { id: number }) => id).sort()).toEqual(
        [VIRTIO_IDS.iommu, VIRTIO_IDS.disk, VIRTIO_IDS.rng].sort(),
      );
      for (const device of packed.devices) {
        expect(device).toMatchObject({ packed: true, eventIdx: true, notificationData: true });
      }
    },
  },
  identity: {
    faults: 0,
    endpoints: 2,
    bypasses: true,
    facts({ identity, iommuGroups, requests }) {
      expect(iommuGroups.map(({ type }: { type: string }) => type)).toEqual([
        'identity',
        'identity',
      ]);
      expect(identity.endpoints.sort(byDevice)).toEqual([
        { device: '00:05.0', bypass: true },
        { device: '00:06.0', bypass: true },
      ]);
      expect(requests).toMatchObject({ map: 0, unmap: 0 });
    },
  },
  stray: {
    faults: 2,
    endpoints: 2,
    facts({ stray }) {
      const { endpoint, accesses, kernelLog } = stray;
      expect(accesses).toEqual([
        { access: 'read', address: 0x1234_5000, refused: true, delivered: true },
        { access: 'write', address: 0xdead_0000, refused: true, delivered: true },
      ]);
      expect(kernelLog).toEqual([
        expect.stringMatching(`page fault from EP ${endpoint} at 0x12345000 \\[[^\\]]*R`),
        expect.stringMatching(`page fault from EP ${endpoint} at 0xdead0000 \\[[^\\]]*W`),
      ]);
    },
  },
};

function byDevice(one: { device: string }, other: { device: string }): number {
  return one.device < other.device ? -1 : 1;
}

/** Beyond that all of its own checks held. */
// biome-ignore lint/suspicious/noExplicitAny: it is what was printed, whatever that is
export function expectFacts(result: any, scenario: ScenarioName): void {
  const { faults, endpoints, bypasses = false, facts } = SCENARIO_FACTS[scenario];
  expect(result).toMatchObject({ ok: true, scenario, faults });
  expect(result.iommuGroups).toHaveLength(endpoints);
  expect(result.requests.attach).toBeGreaterThanOrEqual(endpoints);
  expect(result.dma.bypassedAfterAttach > 0).toBe(bypasses);
  expect(result.dma.translatedBytes > 0).toBe(!bypasses);
  facts(result);
}
