/** What a command is given: a VIOT with all that it says, or a topology. */
import type { PassedOver } from '../passed-over.ts';
import { tableTopology } from '../table/topology-table.ts';
import type { ViotTable } from '../table/viot-table.ts';
import type { Topology } from '../topology.ts';

export interface TopologyDocument {
  readonly form: 'topology';
  readonly topology: Topology;
  /** What it was read from, for people. */
  readonly source: string;
  /** What the source says beyond that. */
  readonly passedOver: readonly PassedOver[];
}

export type Document = { readonly form: 'table'; readonly table: ViotTable } | TopologyDocument;

export function topologyOf(document: Document): Topology {
  return document.form === 'table' ? tableTopology(document.table) : document.topology;
}
