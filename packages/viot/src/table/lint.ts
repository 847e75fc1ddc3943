/** lintViot: what Linux would do with a table that was perhaps not meant that way. */
import { byteSum } from '../checksum.ts';
import { describeIommu, describeRange } from '../describe.ts';
import type { Topology } from '../topology.ts';
import { ViotError } from '../viot-error.ts';
import { boundedTable } from './acpi-header.ts';
import type { Finding } from './finding.ts';
import { HEADER_CHECKSUM, VIOT_HEADER_SIZE, VIOT_NODE_COUNT, VIOT_SIGNATURE } from './layout.ts';
import { lintTopology } from './lint-topology.ts';
import { type LinuxTopology, linuxTopology } from './linux-topology.ts';
import { type LinuxWalk, walkAsLinux } from './linux-walk.ts';

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
    view = boundedTable(bytes, VIOT_SIGNATURE, VIOT_HEADER_SIZE);
  } catch (error) {
    if (!(error instanceof ViotError)) throw error;
    const { message, offset = 0 } = error;
    return {
      findings: [{ code: 'TABLE', severity: 'error', offset, message }],
      topology: undefined,
    };
  }
  const walk = walkAsLinux(view);
  const resolved = linuxTopology(view, walk.nodes);
  const findings = [
    ...lintChecksum(bytes.subarray(0, view.byteLength)),
    ...lintWalk(walk, view.byteLength),
    ...lintResolution(resolved),
    ...lintTopology(resolved.topology, resolved.offsets),
  ];
  return { findings: findings.sort((a, b) => a.offset - b.offset), topology: resolved.topology };
}

function lintChecksum(table: Uint8Array): Finding[] {
  const sum = byteSum(table);
  if (sum === 0) return [];
  const message = `the bytes sum up to ${sum}, not 0: Linux warns, and takes the table all the same`;
  return [{ code: 'CHECKSUM', severity: 'warning', offset: HEADER_CHECKSUM, message }];
}

function lintWalk({ nodes, nodeCount, stop, end }: LinuxWalk, length: number): Finding[] {
  const findings: Finding[] = nodes
    .filter(({ layout }) => layout === undefined)
    .map(({ offset, nodeType }) => ({
      code: 'UNKNOWN_NODE',
      severity: 'note',
      offset,
      message: `Linux passes over a node of type ${nodeType}`,
    }));
  if (stop !== undefined) {
    findings.push({
      code: stop.code,
      severity: 'error',
      offset: stop.offset,
      message: `Linux gets no further, ${nodeCount - nodes.length} of ${nodeCount} nodes unread: ${stop.reason}`,
    });
  } else if (end < length) {
    findings.push({
      code: 'TRAILING',
      severity: 'note',
      offset: end,
      message: `${length - end} bytes behind the last node: the node count at ${VIOT_NODE_COUNT} leaves them out`,
    });
  }
  return findings;
}

function lintResolution({ topology, offsets, dropped }: LinuxTopology): Finding[] {
  const findings: Finding[] = dropped.map(({ offset, devices, outputNode }) => ({
    code: 'UNRESOLVABLE',
    severity: 'error',
    offset,
    message: `Linux drops the ${describeRange(devices)}: its IOMMU should be at ${outputNode}, and none is there`,
  }));
  topology.iommus.forEach((iommu, index) => {
    if (iommu.kind !== 'mmio') return;
    findings.push({
      code: 'MMIO_IOMMU',
      severity: 'warning',
      offset: offsets.iommus[index]!,
      message: `Linux takes the first ACPI device whose resources contain the address for ${describeIommu(iommu)}: inside the window of a PCI host bridge that is the bridge, and what is behind the IOMMU never starts`,
    });
  });
  return findings;
}
