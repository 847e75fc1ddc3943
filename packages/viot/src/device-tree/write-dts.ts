/** writeDts and writeDtsFragment: a topology as device tree source, which `dtc` compiles. */
import { hex } from '../describe.ts';
import { normalizeTopology } from '../normalize.ts';
import type { Topology } from '../topology.ts';
import { checkDistinctIds, checkParts, checkVirtio } from '../topology-check.ts';
import { ViotError } from '../viot-error.ts';
import {
  deviceNode,
  deviceProperties,
  hostBridgeParts,
  labelled,
  type MmioDevice,
  mmioDevices,
  segmentsOf,
} from './dts-nodes.ts';
import type { DtsFragmentOptions, DtsOptions } from './dts-options.ts';
import { cells, type DtsNode, printNode, twoCells } from './dts-text.ts';

/** Of the configuration space of 256 buses. */
const ECAM_SIZE = 0x10000000;

/**
 * A tree of its own: the topology, a host bridge for each segment, and of everything else only what the options say. Ranges
 * may overlap: the later one counts.
 *
 * @throws ViotError `BDF`, `ADDRESS`, `IOMMU`, `RANGE`, `ENDPOINT_ID` or `OVERLAP` when a guest would not read the topology as it
 * was meant, or a device tree has no words for it; `SYNTAX` when an option is about a device that the topology does not have
 */
export function writeDts(topology: Topology, options: DtsOptions = {}): string {
  const normal = describable(topology);
  const { hostBridges = [], devices = [] } = options;
  const segments = segmentsOf(normal);
  const found = mmioDevices(normal);
  checkOptions(normal, options);
  const root: DtsNode = {
    title: '/',
    properties: ['#address-cells = <2>;', '#size-cells = <2>;'],
    children: [
      ...segments.map((segment) => {
        const bridge = hostBridges.find((candidate) => candidate.segment === segment);
        return hostBridgeNode(normal, segment, bridge ?? {});
      }),
      ...found.map((device) => {
        const { base } = device;
        return deviceNode(device, devices.find((candidate) => candidate.base === base) ?? { base });
      }),
    ],
  };
  return `/dts-v1/;\n\n${printNode(root)}`;
}

/**
 * What to append to the source of an existing tree, a decompiled one for example: the IOMMUs, `iommu-map` of its host bridges
 * (in place of what they have) and its MMIO devices. dtc merges it, and finds phandles that are free.
 *
 * @throws ViotError as {@link writeDts} does; `HOST_BRIDGE` when the options do not say where a segment's host bridge is
 */
export function writeDtsFragment(topology: Topology, options: DtsFragmentOptions): string {
  const normal = describable(topology);
  checkOptions(normal, options);
  const { hostBridges = [], devices = [] } = options;
  const bridges = segmentsOf(normal).map((segment): DtsNode => {
    const bridge = hostBridges.find((candidate) => candidate.segment === segment);
    if (bridge === undefined) {
      throw new ViotError(
        'HOST_BRIDGE',
        `segment ${segment} has no host bridge: say which node of the device tree it is`,
      );
    }
    return { title: reference(bridge.node), ...hostBridgeParts(normal, segment) };
  });
  const existing: DtsNode[] = [];
  const added: DtsNode[] = [];
  for (const device of mmioDevices(normal)) {
    const option = devices.find(({ base }) => base === device.base) ?? { base: device.base };
    if ('node' in option) existing.push(existingDevice(device, option));
    else added.push(deviceNode(device, option));
  }
  const root = { title: '/', properties: [], children: added };
  return [...bridges, ...existing, ...(added.length > 0 ? [root] : [])]
    .map((node) => printNode(node))
    .join('\n');
}

/** In one form, in which every device is in one range. */
function describable(topology: Topology): Topology {
  checkVirtio(topology.iommus, 'a device tree');
  checkParts(topology);
  const normal = normalizeTopology(topology);
  checkDistinctIds(normal);
  return normal;
}

function checkOptions(topology: Topology, options: DtsOptions | DtsFragmentOptions): void {
  const segments = segmentsOf(topology);
  const strayBridge = options.hostBridges?.find(({ segment }) => !segments.includes(segment));
  if (strayBridge !== undefined) {
    throw new ViotError('SYNTAX', `the topology has nothing in segment ${strayBridge.segment}`);
  }
  const found = mmioDevices(topology);
  const strayDevice = options.devices?.find(
    (option) => !found.some(({ base }) => base === option.base),
  );
  if (strayDevice !== undefined) {
    throw new ViotError('SYNTAX', `the topology has no device at ${hex(strayDevice.base)}`);
  }
}

function hostBridgeNode(
  topology: Topology,
  segment: number,
  { ecam, properties = [] }: Omit<NonNullable<DtsOptions['hostBridges']>[number], 'segment'>,
): DtsNode {
  const parts = hostBridgeParts(topology, segment);
  return {
    title: `pcie@${(ecam ?? segment).toString(16)}`,
    properties: [
      ...(ecam === undefined
        ? []
        : [
            'compatible = "pci-host-ecam-generic";',
            `reg = ${cells(...twoCells(ecam), ...twoCells(ECAM_SIZE))};`,
          ]),
      'device_type = "pci";',
      '#address-cells = <3>;',
      '#size-cells = <2>;',
      `linux,pci-domain = ${cells(segment)};`,
      'bus-range = <0x0 0xff>;',
      ...properties,
      ...parts.properties,
    ],
    children: parts.children,
  };
}

function existingDevice(
  device: MmioDevice,
  { node, properties = [] }: { node: string; properties?: readonly string[] },
): DtsNode {
  return {
    title: labelled(device, reference(node)),
    properties: [...deviceProperties(device), ...properties],
    children: [],
  };
}

/** @throws ViotError `SYNTAX` */
function reference(node: string): string {
  if (/^\/[\w,.+?#@/-]*$/.test(node)) return `&{${node}}`;
  if (/^[a-zA-Z_]\w*$/.test(node)) return `&${node}`;
  throw new ViotError(
    'SYNTAX',
    `'${node}' is no node: write its path, /pcie@10000000, or its label`,
  );
}
