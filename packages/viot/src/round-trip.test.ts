/** Every form of a topology says the same: what a guest makes of one is what it makes of the others. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { topologyArbitrary } from './fixtures/topology-arbitrary.ts';
import { decodeInDevice } from './in-device/decode.ts';
import { encodeInDevice } from './in-device/encode.ts';
import { normalizeTopology } from './normalize.ts';
import { readTopology } from './read-topology.ts';
import { writeViot } from './table/topology-table.ts';
import type { Topology } from './topology.ts';

const HEAD_OFFSET = 44;

const forms: [string, (topology: Topology) => Topology][] = [
  ['the VIOT', (topology) => readTopology(writeViot(topology))],
  [
    'the configuration spaces of all IOMMUs',
    ({ iommus, endpoints }) => ({
      iommus,
      endpoints: iommus.flatMap((_, iommu) => {
        const bytes = encodeInDevice({ iommus, endpoints }, iommu, { headOffset: HEAD_OFFSET });
        const config = Uint8Array.from([...new Array<number>(HEAD_OFFSET).fill(0xee), ...bytes]);
        return decodeInDevice(config, HEAD_OFFSET).map((range) => ({ ...range, iommu }));
      }),
    }),
  ],
];

it.each(forms)('%s says what the model does', (_, throughForm) => {
  fc.assert(
    fc.property(topologyArbitrary(), (topology) => {
      expect(normalizeTopology(throughForm(topology))).toEqual(normalizeTopology(topology));
    }),
  );
});

it('all forms one after another end where they began', () => {
  fc.assert(
    fc.property(topologyArbitrary(), fc.shuffledSubarray(forms), (topology, order) => {
      const last = order.reduce((said, [, throughForm]) => throughForm(said), topology);
      const normal = normalizeTopology(topology);
      expect(normalizeTopology(last)).toEqual(normal);
      expect(writeViot(normalizeTopology(last))).toEqual(writeViot(normal));
    }),
  );
});
