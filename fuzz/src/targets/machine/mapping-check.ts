/** checkTranslations: what an IOMMU's snapshot says is what its backend translates, and nothing else. */
import type { IommuSnapshot } from '@viommu/iommu-core';
import { violated } from '../../engine/invariant.ts';
import { ENDPOINT, type Machine, OTHER_ENDPOINT } from '../../machines/machine.ts';

const MAPPING_FIELDS = 4;
/** READ, WRITE. */
const ACCESSES = [1, 2] as const;
const [FAULT_DOMAIN, FAULT_MAPPING] = [1, 2];

interface Expected {
  readonly code: number;
  readonly physical: number;
}

/** @param isUp a driver is up: without, endpoints are in no domain */
export function checkTranslations(
  machine: Machine,
  snapshot: IommuSnapshot,
  addresses: readonly number[],
): void {
  const out = { physical: 0, length: 0, bypass: false };
  for (const endpoint of [ENDPOINT, OTHER_ENDPOINT]) {
    for (const address of [...addresses, ...edgesOf(snapshot)]) {
      for (const access of ACCESSES) {
        const code = machine.translate(endpoint, address, access, out);
        const expected = translate(snapshot, endpoint, address, access);
        const isSame = code === 0 ? out.physical === expected.physical : true;
        if (code === expected.code && isSame) continue;
        violated(`endpoint ${endpoint} at ${address}: ${code} to ${out.physical}`);
      }
    }
  }
}

function edgesOf({ domains }: IommuSnapshot): number[] {
  const edges: number[] = [];
  for (const { mappings } of domains) {
    for (let index = 0; index < mappings.length; index += MAPPING_FIELDS) {
      const [start, end] = [mappings[index]!, mappings[index + 1]!];
      edges.push(Math.max(start - 1, 0), start, end, Math.min(end + 1, Number.MAX_SAFE_INTEGER));
    }
  }
  return edges;
}

function translate(
  { bypass, domains }: IommuSnapshot,
  endpoint: number,
  address: number,
  access: number,
): Expected {
  const domain = domains.find(({ endpoints }) => endpoints.includes(endpoint));
  if (domain === undefined && !bypass) return { code: FAULT_DOMAIN, physical: 0 };
  if (domain === undefined || domain.bypass) return { code: 0, physical: address };
  const { mappings } = domain;
  for (let index = 0; index < mappings.length; index += MAPPING_FIELDS) {
    const [start, end, physical, flags] = mappings.slice(index, index + MAPPING_FIELDS);
    if (address < start! || address > end! || (flags! & access) !== access) continue;
    return { code: 0, physical: physical! + (address - start!) };
  }
  return { code: FAULT_MAPPING, physical: 0 };
}
