import { describe, expect, it } from 'vitest';
import type { PciEndpointRange, Topology } from '../topology.ts';
import type { DtsFragmentOptions, DtsOptions } from './dts-options.ts';
import { writeDts, writeDtsFragment } from './write-dts.ts';

function range(changes: Partial<PciEndpointRange>): PciEndpointRange {
  const bus = { segmentStart: 0, segmentEnd: 0, bdfStart: 0, bdfEnd: 0xff };
  return { kind: 'pci', ...bus, endpointStart: 0, iommu: 0, ...changes };
}

/** 00:01.0 with bus 0 and a device, 0x10000000 with bus 1 and a hole in it, and itself behind the first. */
const TOPOLOGY: Topology = {
  iommus: [
    { kind: 'pci', segment: 0, bdf: 0x8 },
    { kind: 'mmio', base: 0x10000000 },
  ],
  endpoints: [
    range({}),
    range({ bdfStart: 0x100, bdfEnd: 0x1ff, endpointStart: 0x2000, iommu: 1 }),
    range({ bdfStart: 0x120, bdfEnd: 0x127, endpointStart: 0x8000 }),
    { kind: 'mmio', base: 0x8_1000_1000, endpoint: 0x5000, iommu: 0 },
    { kind: 'mmio', base: 0x10000000, endpoint: 0x5001, iommu: 0 },
  ],
};
const EMPTY: Topology = { iommus: [{ kind: 'pci', segment: 0, bdf: 8 }], endpoints: [] };

describe('writeDts', () => {
  it('writes a tree of its own', () => {
    expect(writeDts(TOPOLOGY)).toBe(`/dts-v1/;

/ {
	#address-cells = <2>;
	#size-cells = <2>;

	pcie@0 {
		device_type = "pci";
		#address-cells = <3>;
		#size-cells = <2>;
		linux,pci-domain = <0x0>;
		bus-range = <0x0 0xff>;
		iommu-map = <0x0 &viommu0 0x0 0x8>,
			<0x9 &viommu0 0x9 0xf7>,
			<0x100 &viommu1 0x2000 0x20>,
			<0x120 &viommu0 0x8000 0x8>,
			<0x128 &viommu1 0x2028 0xd8>;

		viommu0: iommu@1,0 {
			compatible = "virtio,pci-iommu", "pci1af4,1057";
			reg = <0x800 0x0 0x0 0x0 0x0>;
			#iommu-cells = <1>;
		};
	};

	viommu1: iommu@10000000 {
		compatible = "virtio,mmio";
		reg = <0x0 0x10000000 0x0 0x200>;
		#iommu-cells = <1>;
		iommus = <&viommu0 0x5001>;
	};

	virtio@810001000 {
		compatible = "virtio,mmio";
		reg = <0x8 0x10001000 0x0 0x200>;
		iommus = <&viommu0 0x5000>;
	};
};
`);
  });

  it('takes from the options what the topology does not say', () => {
    const text = writeDts(TOPOLOGY, {
      hostBridges: [{ segment: 0, ecam: 0x40_1000_0000, properties: ['dma-coherent;'] }],
      devices: [
        { base: 0x10000000, interrupts: [0, 5, 4], properties: ['dma-coherent;'] },
        { base: 0x8_1000_1000, size: 0x1000, compatible: 'acme,dma' },
      ],
    });
    expect(text).toContain(`	pcie@4010000000 {
		compatible = "pci-host-ecam-generic";
		reg = <0x40 0x10000000 0x0 0x10000000>;
		device_type = "pci";`);
    expect(text).toContain('		bus-range = <0x0 0xff>;\n		dma-coherent;\n		iommu-map');
    expect(text).toContain(`		reg = <0x0 0x10000000 0x0 0x200>;
		interrupts = <0x0 0x5 0x4>;
		#iommu-cells = <1>;
		iommus = <&viommu0 0x5001>;
		dma-coherent;
`);
    expect(text).toContain(`		compatible = "acme,dma";
		reg = <0x8 0x10001000 0x0 0x1000>;
		iommus`);
  });
});

describe('writeDtsFragment', () => {
  it('adds to the nodes of an existing tree, and new ones to its root', () => {
    const options: DtsFragmentOptions = {
      hostBridges: [{ segment: 0, node: '/pcie@10000000' }],
      devices: [{ base: 0x8_1000_1000, node: 'disk', properties: ['dma-coherent;'] }],
    };
    const [bridge, device, root, ...rest] = writeDtsFragment(TOPOLOGY, options).split(/\n(?=[&/])/);
    expect(bridge).toMatch(/^&\{\/pcie@10000000\} \{\n\tiommu-map = <0x0 &viommu0 0x0 0x8>,/);
    expect(bridge).toContain('	viommu0: iommu@1,0 {');
    expect(device).toBe('&disk {\n	iommus = <&viommu0 0x5000>;\n	dma-coherent;\n};\n');
    expect(root).toMatch(/^\/ \{\n\tviommu1: iommu@10000000 \{\n/);
    expect(rest).toEqual([]);
  });

  it('makes an IOMMU of an existing node', () => {
    const text = writeDtsFragment(
      { iommus: [{ kind: 'mmio', base: 0xa000000 }], endpoints: [] },
      { devices: [{ base: 0xa000000, node: '/virtio_mmio@a000000' }] },
    );
    expect(text).toBe('viommu0: &{/virtio_mmio@a000000} {\n	#iommu-cells = <1>;\n};\n');
  });

  it('asks for the host bridge of each segment', () => {
    const topology = { ...EMPTY, endpoints: [range({ segmentEnd: 1 })] };
    const hostBridges = [{ segment: 0, node: 'pcie' }];
    expect(() => writeDtsFragment(topology, { hostBridges })).toThrowError(
      expect.objectContaining({
        code: 'HOST_BRIDGE',
        message: expect.stringContaining('segment 1'),
      }),
    );
  });

  it.each(['pcie@1', '&pcie', '/pcie { };', ''])("takes no '%s' for a node", (node) => {
    expect(() => writeDtsFragment(EMPTY, { hostBridges: [{ segment: 0, node }] })).toThrowError(
      expect.objectContaining({ code: 'SYNTAX' }),
    );
  });
});

describe('both', () => {
  const vendor: Topology['iommus'] = [{ kind: 'vendor', model: 'smmu-v3', base: 0x9000000 }];
  const refused: [string, string, Topology, DtsOptions][] = [
    ["an IOMMU of a vendor's", 'IOMMU', { ...EMPTY, iommus: vendor }, {}],
    [
      'an IOMMU behind a bridge',
      'IOMMU',
      { ...EMPTY, iommus: [{ kind: 'pci', segment: 0, bdf: 0x100 }] },
      {},
    ],
    [
      'an endpoint ID for two devices',
      'OVERLAP',
      { ...EMPTY, endpoints: [range({}), range({ bdfStart: 0x100, bdfEnd: 0x100 })] },
      {},
    ],
    [
      'a range that ends before it starts',
      'RANGE',
      { ...EMPTY, endpoints: [range({ bdfStart: 0x100 })] },
      {},
    ],
    ['a host bridge of no use', 'SYNTAX', EMPTY, { hostBridges: [{ segment: 1 }] }],
    ['a device of no use', 'SYNTAX', EMPTY, { devices: [{ base: 0x1000 }] }],
  ];
  it.each(refused)('refuse %s', (_, code, topology, options) => {
    const fragment: DtsFragmentOptions = {
      devices: options.devices ?? [],
      hostBridges: [{ segment: options.hostBridges?.[0]?.segment ?? 0, node: 'pcie' }],
    };
    const expected = expect.objectContaining({ code });
    expect(() => writeDts(topology, options)).toThrowError(expected);
    expect(() => writeDtsFragment(topology, fragment)).toThrowError(expected);
  });
});
