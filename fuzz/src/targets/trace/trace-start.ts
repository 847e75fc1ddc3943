/** What a trace of a machine begins with: as a recorder writes it, up to the first event. */
import { describeAsJson, type MachineDescription, socketNames } from '@viommu/machine';

const MAGIC = Buffer.from('vtrace\0\x01', 'latin1');

/** @param description of one IOMMU and one disk, all on PCI */
export function traceStart(description: MachineDescription): Uint8Array {
  const bdfs = [...description.iommus, ...description.devices].map(({ place }) =>
    place.bus === 'pci' ? place.bdf : 0,
  );
  const names = ['iommu', ...socketNames(description)];
  const json = Buffer.from(
    JSON.stringify({
      title: '',
      startedAt: '',
      versions: {},
      machine: describeAsJson(description),
      functions: names.map((name, index) => ({ name, bdf: bdfs[index] })),
      disks: [{ size: 65536, readOnly: false, content: { kind: 'pattern', seed: 5 } }],
      networks: [],
    }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([MAGIC, length, json]);
}
