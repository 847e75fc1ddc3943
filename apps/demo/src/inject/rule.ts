/** One rule of fault injection: what it waits for, and what it then does; read from JSON. */
import { STATUS_NAMES } from '@viommu/iommu-driver';
import { CommandError } from '../command-error.ts';
import { type EndpointPlace, findEndpoint } from '../control/find-endpoint.ts';
import { type JsonObject, JsonReader } from '../control/json-reader.ts';

const REQUEST_NAMES = ['ATTACH', 'DETACH', 'MAP', 'UNMAP', 'PROBE'] as const;

/** What is done instead of what a good device does. */
type RuleAction =
  /** Answers with this VIRTIO_IOMMU_S_*; nothing is carried out. */
  | { readonly do: 'status'; readonly status: number }
  /** Carries the request out, and gives the answer out so much later. */
  | { readonly do: 'hold'; readonly milliseconds: number }
  /** Carries the request out, and reports so many bytes as written. */
  | { readonly do: 'used-length'; readonly length: number }
  /** Keeps the report of a fault from the guest. */
  | { readonly do: 'drop-event' }
  /** Carries the request out, and sets DEVICE_NEEDS_RESET. */
  | { readonly do: 'needs-reset' };

/** All that is given has to be so. */
export interface Rule {
  readonly action: RuleAction;
  /** VIRTIO_IOMMU_T_*. */
  readonly request: number | undefined;
  readonly iommu: number | undefined;
  readonly domain: number | undefined;
  /** An endpoint that the request names, or that is in the domain that it names. */
  readonly endpoint: number | undefined;
  /** Those of a MAP or an ATTACH, all of them: 2 is a MAP for writing alone. */
  readonly flags: number | undefined;
  /** At which of the requests or faults that fit: that one alone, or each so-many-th. */
  readonly nth: number;
  readonly repeats: boolean;
  /** As it was given. */
  readonly source: JsonObject;
}

/** A driver may wait with interrupts disabled, as that of Linux does. */
const LONGEST_HOLD = 5000;
const UINT32_MAX = 0xffff_ffff;

/**
 * @param endpoints of the machine
 * @throws {CommandError} that says which field is wrong
 */
export function readRule(value: unknown, endpoints: readonly EndpointPlace[]): Rule {
  const fields = new JsonReader(value, 'a rule');
  const action = readAction(fields);
  const name = fields.optional('request', () => fields.choice('request', REQUEST_NAMES));
  const iommu = fields.optional('iommu', () => fields.integer('iommu', 0, 255));
  const endpoint = fields.optional('endpoint', () =>
    findEndpoint(endpoints, fields.text('endpoint'), iommu),
  );
  const domain = fields.optional('domain', () => fields.integer('domain', 0, UINT32_MAX));
  const flags = fields.optional('flags', () => fields.integer('flags', 0, UINT32_MAX));
  const nth = fields.optional('nth', () => fields.integer('nth', 1, 1e9));
  const every = fields.optional('every', () => fields.integer('every', 1, 1e9));
  if (nth !== undefined && every !== undefined) {
    throw new CommandError('a rule: choose "nth", for that one alone, or "every"');
  }
  fields.end();
  if (action.do === 'drop-event' && (name !== undefined || flags !== undefined)) {
    throw new CommandError(
      'a rule: drop-event is about faults: it takes no "request" and no "flags"',
    );
  }
  return {
    action,
    request: name === undefined ? undefined : REQUEST_NAMES.indexOf(name) + 1,
    iommu: endpoint?.iommu ?? iommu,
    domain,
    endpoint: endpoint?.endpoint,
    flags,
    nth: every ?? nth ?? 1,
    repeats: every !== undefined,
    source: fields.object,
  };
}

function readAction(fields: JsonReader): RuleAction {
  const name = fields.choice('do', ['status', 'hold', 'used-length', 'drop-event', 'needs-reset']);
  switch (name) {
    case 'status':
      return {
        do: name,
        status: STATUS_NAMES.indexOf(fields.choice('status', STATUS_NAMES)),
      };
    case 'hold':
      return { do: name, milliseconds: fields.integer('milliseconds', 1, LONGEST_HOLD) };
    case 'used-length':
      return { do: name, length: fields.integer('length', 0, 4096) };
    default:
      return { do: name };
  }
}
