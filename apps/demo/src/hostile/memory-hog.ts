/** A guest that maps as much as it may, in the way that costs most: prints mappings, and the host's memory at its peak, in MiB. */
import { readFileSync } from 'node:fs';
import { VIRTIO_IOMMU_S_NOMEM, VIRTIO_IOMMU_S_OK, VirtioIommuDevice } from '@viommu/iommu-core';
import { RequestDriver } from '@viommu/iommu-core/testing';
import { simBackend } from '@viommu/pviommu-sim';

const ENDPOINT = 8;
const DOMAIN = 1;
const PAGE = 4096;
const READ_WRITE = 3;
const END = 2 ** 48 - 1;
/** Mappings with which the code runs warm. */
const WARM_UP = 20_000;

/** What the process had at most so far, in MiB. */
function peak(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024;
}

const [, , bits, paired] = process.argv;
const stride = 2 ** Number(bits);
const device = new VirtioIommuDevice({ backend: simBackend(), endpoints: [{ id: ENDPOINT }] });
const driver = new RequestDriver(device);
driver.attach(DOMAIN, ENDPOINT);

/** Pages far apart, or pairs of neighbours; frames that no two neighbours have one after the other. */
function map(index: number): number {
  const start = paired === 'paired' ? (index >> 1) * stride + (index & 1) * PAGE : index * stride;
  const frame = (Math.imul(index, 0x9e37_79b1) >>> 0) * PAGE + 2 ** 47;
  return driver.map(DOMAIN, start, start + PAGE - 1, frame, READ_WRITE);
}

for (let index = 0; index < WARM_UP; index += 1) map(index);
driver.unmap(DOMAIN, 0, END);
const before = peak();
let mappings = 0;
let status = map(0);
for (; status === VIRTIO_IOMMU_S_OK; status = map(mappings)) mappings += 1;
const refused = status === VIRTIO_IOMMU_S_NOMEM ? 'NOMEM' : `status ${status}`;
process.stdout.write(JSON.stringify({ mappings, refused, mebibytes: peak() - before }));
