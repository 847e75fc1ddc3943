/** lintViot: what Linux would do with a table that was perhaps not meant that way. */
import { describeIommu, describeRange } from '../describe.ts';
import type { EndpointRange, Iommu, Topology } from '../topology.ts';
import { ViotError } from '../viot-error.ts';
import { openTable } from './acpi-header.ts';
import type { Finding, TopologyOffsets } from './finding.ts';
import { VIOT_HEADER_SIZE, VIOT_NODE_COUNT, VIOT_SIGNATURE } from './layout.ts';
import { lintTopology } from './lint-topology.ts';
import { iommuAt, type WalkedNode, walkAsLinux } from './linux-walk.ts';

/** What Linux makes of a table, and what there is to say about it. */
export interface LintResult {
  readonly findings: readonly Finding[];
  /** As Linux has it; undefined when it does not take the table. */
  readonly topology: Topology | undefined;
}

/** Never throws: a table that is damaged is a finding. Findings are in order of their offsets. */
export function lintViot(bytes: Uint8Array): LintResult {
  let view: DataView;
  try {
    view = openTable(bytes, VIOT_SIGNATURE, VIOT_HEADER_SIZE);
  } catch (error) {
    if (!(error instanceof ViotError)) throw error;
    const finding = { code: 'TABLE', severity: 'error', message: error.message } as const;
    return { findings: [{ ...finding, offset: error.offset ?? 0 }], topology: undefined };
  }
  const findings: Finding[] = [];
  const walk = walkAsLinux(view);
  if (walk.stop !== undefined) {
    const { code, offset, reason } = walk.stop;
    const missed = walk.nodeCount - walk.nodes.length;
    findings.push({
      code,
      severity: 'error',
      offset,
      message: `Linux gets no further, ${missed} of ${walk.nodeCount} nodes unread: ${reason}`,
    });
  } else if (walk.end < view.byteLength) {
    findings.push({
      code: 'TRAILING',
      severity: 'note',
      offset: walk.end,
      message: `${view.byteLength - walk.end} bytes behind the last node: the node count at ${VIOT_NODE_COUNT} leaves them out`,
    });
  }
  const { topology, offsets } = resolve(view, walk.nodes, findings);
  findings.push(...lintTopology(topology, offsets));
  return { findings: findings.sort((a, b) => a.offset - b.offset), topology };
}

/** The endpoints whose IOMMU is found; the others, and what Linux does not know, are findings. */
function resolve(
  view: DataView,
  nodes: readonly WalkedNode[],
  findings: Finding[],
): { topology: Topology; offsets: TopologyOffsets } {
  const iommus: Iommu[] = [];
  const endpoints: EndpointRange[] = [];
  const iommuOffsets: number[] = [];
  const endpointOffsets: number[] = [];
  const indexOf = (offset: number): number => {
    const known = iommuOffsets.indexOf(offset);
    if (known >= 0) return known;
    const node = iommuAt(view, offset);
    if (node === undefined) return -1;
    const value = fieldsOf(view, node);
    iommuOffsets.push(offset);
    return (
      iommus.push(
        node.layout!.type === 'virtio-iommu-pci'
          ? { kind: 'pci', segment: value.segment!, bdf: value.bdf! }
          : { kind: 'mmio', base: value.base! },
      ) - 1
    );
  };
  for (const node of nodes) {
    const { offset, layout, nodeType } = node;
    if (layout === undefined) {
      findings.push({
        code: 'UNKNOWN_NODE',
        severity: 'note',
        offset,
        message: `Linux passes over a node of type ${nodeType}`,
      });
    } else if (layout.type.startsWith('virtio')) indexOf(offset);
    else {
      const { outputNode, endpoint, base, ...bounds } = fieldsOf(view, node);
      const iommu = indexOf(outputNode!);
      const range = (
        layout.type === 'mmio-endpoint'
          ? { kind: 'mmio', endpoint, base, iommu }
          : { kind: 'pci', ...bounds, iommu }
      ) as EndpointRange;
      if (iommu < 0) {
        findings.push({
          code: 'UNRESOLVABLE',
          severity: 'error',
          offset,
          message: `Linux drops the ${describeRange(range)}: its IOMMU should be at ${outputNode}, and none is there`,
        });
      } else {
        endpoints.push(range);
        endpointOffsets.push(offset);
      }
    }
  }
  iommus.forEach((iommu, index) => {
    if (iommu.kind !== 'mmio') return;
    findings.push({
      code: 'MMIO_IOMMU',
      severity: 'warning',
      offset: iommuOffsets[index]!,
      message: `Linux takes the first ACPI device whose resources contain the address for ${describeIommu(iommu)}: inside the window of a PCI host bridge that is the bridge, and what is behind the IOMMU never starts`,
    });
  });
  return {
    topology: { iommus, endpoints },
    offsets: { iommus: iommuOffsets, endpoints: endpointOffsets },
  };
}

/** Numbers of 64 bits as near as a number comes; nothing is done with them but to compare and show them. */
function fieldsOf(view: DataView, { offset, layout }: WalkedNode): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [name, at, size] of layout!.fields) {
    if (size === 8) values[name] = Number(view.getBigUint64(offset + at, true));
    else
      values[name] =
        size === 4 ? view.getUint32(offset + at, true) : view.getUint16(offset + at, true);
  }
  return values;
}
