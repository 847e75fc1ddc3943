/** The commands that look: who is in which domain, what was counted, what is mapped. */
import { STATUS_NAMES } from '@viommu/iommu-driver';
import { CommandError } from '../command-error.ts';
import {
  type DumpedMapping,
  type DumpResult,
  type ListResult,
  MAX_DUMP,
  type StatResult,
} from './control-protocol.ts';
import type { ControlledMachine } from './controlled-machine.ts';
import type { JsonReader } from './json-reader.ts';

const UINT32_MAX = 0xffff_ffff;
const REQUESTS = ['probe', 'attach', 'detach', 'map', 'unmap'] as const;

export function list({ machine }: ControlledMachine, fields: JsonReader): ListResult {
  fields.end();
  return {
    iommus: machine.iommus.map(({ device }, iommu) => {
      const attachments = device.attachments();
      const domains = new Map(
        attachments.flatMap(({ domain, isBypassDomain }) =>
          domain === undefined ? [] : [[domain, isBypassDomain] as const],
        ),
      );
      return {
        iommu,
        bypass: device.bypass,
        endpoints: attachments.map(({ endpoint, domain = null }) => ({
          endpoint,
          device: nameOf(machine, iommu, endpoint),
          domain,
        })),
        domains: [...domains].map(([domain, bypass]) => ({
          domain,
          bypass,
          mappings: device.mappingsOf(domain)?.size ?? 0,
        })),
      };
    }),
  };
}

export function stat({ machine }: ControlledMachine, fields: JsonReader): StatResult {
  fields.end();
  return {
    iommus: machine.iommus.map(({ device }, iommu) => {
      const { requests, ...counters } = device.counters;
      const { unanswered, faults, eventsDelivered, eventsDropped } = counters;
      const named = REQUESTS.map((name) => {
        const { total, byStatus } = requests[name];
        const statuses = byStatus.flatMap((count, status) =>
          count > 0 ? [[STATUS_NAMES[status]!, count] as const] : [],
        );
        return [name, { total, byStatus: Object.fromEntries(statuses) }] as const;
      });
      return {
        iommu,
        requests: Object.fromEntries(named),
        ...{ unanswered, faults, eventsDelivered, eventsDropped },
      };
    }),
    endpoints: machine.endpoints.map(({ iommu, endpoint, device }) => {
      const counters = machine.iommus[iommu]!.device.endpointCounters(endpoint);
      const { translatedBytes, bypassedBytes, faults } = counters;
      return { iommu, endpoint, device, translatedBytes, bypassedBytes, faults };
    }),
  };
}

/** A part at a time, in rising order; the guest can change the domain between two parts. */
export function dump({ machine }: ControlledMachine, fields: JsonReader): DumpResult {
  const domain = fields.integer('domain', 0, UINT32_MAX);
  const wanted = readIommu(machine, fields);
  const from = fields.optional('from', () => fields.integer('from', 0, 2 ** 53 - 1)) ?? 0;
  fields.end();
  const having = machine.iommus.flatMap(({ device }, iommu) =>
    (wanted === undefined || wanted === iommu) &&
    device.attachments().some((one) => one.domain === domain)
      ? [iommu]
      : [],
  );
  const [iommu] = having;
  if (iommu === undefined) {
    throw new CommandError(`there is no domain ${domain}; list shows those that there are`);
  }
  if (having.length > 1) {
    throw new CommandError(
      `IOMMUs ${having.join(' and ')} each have a domain ${domain}: say which`,
    );
  }
  const table = machine.iommus[iommu]!.device.mappingsOf(domain);
  const mappings: DumpedMapping[] = [];
  let next: number | null = null;
  table?.visit(from, Number.MAX_SAFE_INTEGER, (virtStart, virtEnd, physStart, flags) => {
    if (mappings.length === MAX_DUMP) {
      next = virtStart;
      return false;
    }
    mappings.push({ virtStart, virtEnd, physStart, flags });
    return true;
  });
  return { iommu, domain, size: table?.size ?? 0, mappings, next };
}

function nameOf(
  { endpoints }: ControlledMachine['machine'],
  iommu: number,
  endpoint: number,
): string {
  const found = endpoints.find((one) => one.iommu === iommu && one.endpoint === endpoint);
  return found?.device ?? `endpoint ${endpoint}`;
}

/** The field `iommu`, of which there is one. */
export function readIommu(
  { iommus }: ControlledMachine['machine'],
  fields: JsonReader,
): number | undefined {
  return fields.optional('iommu', () => fields.integer('iommu', 0, iommus.length - 1));
}
