/** Cases of iommuSuite about fault reports and snapshots. */
import { expect } from 'vitest';
import {
  all,
  blocking,
  dma,
  dmaRead,
  feature,
  type IommuCase,
  notification,
} from './iommu-case.ts';
import type { IommuSetting } from './iommu-setting.ts';
import { EVENT_QUEUE, EVENT_SLOTS } from './request-port.ts';
import { mapBytes, R_DOMAIN, R_MAPPING, READ, WRITE } from './wire.ts';

const FAULTS = 'Fault reporting';

function giveBuffers(setting: IommuSetting, count = 4): void {
  for (let given = 0; given < count; given += 1) setting.port.giveEventBuffer();
}

const moves = ({ device }: IommuSetting): string | undefined =>
  device.move === undefined ? 'the adapter takes no snapshots' : undefined;

export const faultCases: readonly IommuCase[] = [
  {
    name: 'a fault of an endpoint in no domain has the reason DOMAIN',
    section: FAULTS,
    level: 'described',
    says: 'The report says VIRTIO_IOMMU_FAULT_R_DOMAIN, the endpoint and the address; all that is reserved is 0.',
    needs: blocking,
    run(setting) {
      setting.bypass = 0;
      giveBuffers(setting);
      for (const endpoint of setting.device.endpoints) {
        const address = setting.start(5);
        setting.expectRefused(address, 1, endpoint);
        setting.expectFault(R_DOMAIN, address, endpoint);
      }
      expect(setting.takeFault(), 'a fault too many').toBeUndefined();
    },
  },
  {
    name: 'a fault of an address that is not mapped has the reason MAPPING',
    section: FAULTS,
    level: 'described',
    says: 'The report says VIRTIO_IOMMU_FAULT_R_MAPPING, the endpoint and the address.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 4)).toBe('OK');
      giveBuffers(setting);
      for (const address of [setting.start(8), setting.end(4) + 1, setting.start(2)]) {
        setting.expectRefused(address);
        setting.expectFault(R_MAPPING, address);
      }
      setting.expectReached(setting.start(4), 4 * setting.unit);
      expect(setting.takeFault(), 'a fault of an access that was allowed').toBeUndefined();
    },
  },
  {
    name: 'a fault of a write to what is mapped for reads has the reason MAPPING',
    section: FAULTS,
    level: 'described',
    says: 'An access that the mapping does not allow is a fault of the mapping.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 4, 4, 4, READ)).toBe('OK');
      giveBuffers(setting);
      setting.expectRefused(setting.start(4));
      setting.expectFault(R_MAPPING, setting.start(4));
    },
  },
  {
    name: 'a fault of a read has not the flag WRITE, one of a write has not the flag READ',
    section: FAULTS,
    level: 'described',
    says: 'The flags say what the access was, as far as they say anything.',
    needs: all(feature('MAP_UNMAP'), dmaRead),
    run(setting) {
      setting.attached();
      giveBuffers(setting);
      expect(setting.dma.read!(setting.endpoint, setting.start(4), 1)).toBeUndefined();
      expect(setting.takeFault()!.flags & WRITE).toBe(0);
      setting.expectRefused(setting.start(4));
      expect(setting.takeFault()!.flags & READ).toBe(0);
    },
  },
  {
    name: 'a fault interrupts the driver',
    section: 'Used Buffer Notifications',
    level: 'MUST',
    says: 'The driver is interrupted for a buffer of the event queue that is used.',
    needs: all(feature('MAP_UNMAP'), dma, notification),
    run(setting) {
      setting.attached();
      giveBuffers(setting);
      setting.device.takeInterrupt!(EVENT_QUEUE);
      setting.expectRefused(setting.start(4));
      setting.device.run();
      expect(setting.device.takeInterrupt!(EVENT_QUEUE)).toBe(true);
    },
  },
  {
    name: 'faults without a buffer are dropped or wait, and the device goes on',
    section: FAULTS,
    level: 'described',
    says: 'Where no buffer is available the device waits for one or drops the event.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      for (let time = 0; time < 3 * EVENT_SLOTS; time += 1) setting.expectRefused(setting.start(4));
      expect(setting.mapPages(domain, 4)).toBe('OK');
      setting.expectReached(setting.start(4), 4 * setting.unit);
      giveBuffers(setting, EVENT_SLOTS);
      setting.device.transport.notifyQueue(EVENT_QUEUE);
      while (setting.takeFault() !== undefined) {}
      giveBuffers(setting, 1);
      setting.expectRefused(setting.start(9));
      expect(setting.takeFault(), 'a fault once there is a buffer').toBeDefined();
    },
  },
  {
    name: 'a fault is not spread over buffers that are too small',
    section: FAULTS,
    level: 'SHOULD',
    says: 'A report is not spread over several buffers.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      setting.attached();
      for (let time = 0; time < 4; time += 1) setting.port.giveEventBuffer(8);
      setting.expectRefused(setting.start(4));
      let written = 0;
      for (let fault = setting.takeFault(); fault !== undefined; fault = setting.takeFault()) {
        if (fault.used > 0) written += 1;
      }
      expect(written, 'buffers with a part of the report').toBeLessThanOrEqual(1);
      setting.bringUp();
      setting.attached();
      giveBuffers(setting);
      setting.expectRefused(setting.start(5));
      setting.expectFault(R_MAPPING, setting.start(5));
    },
  },
  {
    name: 'a buffer that is larger than a fault is used for one',
    section: FAULTS,
    level: 'ours',
    says: 'The used length is that of the report, and what is behind it is left alone.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      setting.attached();
      setting.port.giveEventBuffer(100);
      setting.expectRefused(setting.start(4));
      setting.expectFault(R_MAPPING, setting.start(4));
    },
  },
  {
    name: 'a snapshot in the middle of it all changes nothing',
    section: 'Device operations',
    level: 'ours',
    says: 'A device that was restored has the domains, mappings, bypass and queues of the one before.',
    needs: all(feature('MAP_UNMAP'), moves),
    run(setting) {
      if (setting.has('BYPASS_CONFIG')) setting.bypass = 0;
      const [first, second] = [setting.attached(1), setting.attached(2, setting.other)];
      for (const page of [1, 2, 9]) expect(setting.mapPages(first, page)).toBe('OK');
      expect(setting.mapPages(second, 3, 5, 7)).toBe('OK');
      giveBuffers(setting, 2);
      setting.device.move!();
      if (setting.has('BYPASS_CONFIG')) expect(setting.bypass).toBe(0);
      expect(setting.unmapPages(first, 2)).toBe('OK');
      expect([setting.mappedPages(first), setting.mappedPages(second)]).toEqual([
        [1, 9],
        [3, 4, 5],
      ]);
      expect(setting.unmapPages(second, 3), 'UNMAP of a part').toBe('RANGE');
      expect(setting.detach(second, setting.other)).toBe('OK');
      expect(setting.mapPages(second, 8)).toBe('NOENT');
      if (setting.device.dma === undefined) return;
      setting.expectReached(setting.start(9), 9 * setting.unit);
      setting.expectRefused(setting.start(2));
      setting.expectFault(R_MAPPING, setting.start(2));
      setting.device.move!();
      setting.expectRefused(setting.start(3));
      setting.expectFault(R_MAPPING, setting.start(3));
    },
  },
  {
    name: 'a snapshot between a kick and the work loses no request',
    section: 'Device operations',
    level: 'ours',
    says: 'Requests that were kicked and not carried out yet are carried out by the device that was restored.',
    needs: all(feature('MAP_UNMAP'), moves),
    run(setting) {
      const domain = setting.attached();
      const request = mapBytes(domain, setting.start(2), setting.end(3), setting.phys(2), READ);
      expect(setting.port.sendAll([request, request], () => setting.device.move!())).toEqual([
        ...['OK', 'INVAL'],
      ]);
      expect(setting.mappedPages(domain)).toEqual([2, 3]);
    },
  },
];
