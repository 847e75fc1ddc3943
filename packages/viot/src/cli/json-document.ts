/** Documents as JSON: a table as decodeViot has it, or a topology. */
import {
  HEADER_CREATOR_ID_LENGTH,
  HEADER_OEM_ID_LENGTH,
  HEADER_OEM_TABLE_ID_LENGTH,
  VIOT_HEADER_SIZE,
  VIOT_RESERVED,
} from '../table/layout.ts';
import { NODE_LAYOUTS } from '../table/node-layout.ts';
import type { ViotTable } from '../table/viot-table.ts';
import type { Topology } from '../topology.ts';
import { ViotError } from '../viot-error.ts';
import type { Document } from './document.ts';
import { digits, integer, list, object, oneOf, type Shape, text, variants } from './json-shape.ts';

const UINT8 = integer(0xff);
const UINT16 = integer(0xffff);
const UINT32 = integer(0xffffffff);
const ADDRESS = integer(Number.MAX_SAFE_INTEGER);
const BY_SIZE = { 2: UINT16, 4: UINT32, 8: ADDRESS };

const NODES = Object.fromEntries(
  NODE_LAYOUTS.map(({ type, fields }) => [
    type,
    {
      fields: Object.fromEntries(fields.map(([name, , size]) => [name, BY_SIZE[size]])),
      optional: { reserved: digits() },
    },
  ]),
);

const TABLE = object(
  {
    header: object({
      revision: UINT8,
      oemId: text(HEADER_OEM_ID_LENGTH),
      oemTableId: text(HEADER_OEM_TABLE_ID_LENGTH),
      oemRevision: UINT32,
      creatorId: text(HEADER_CREATOR_ID_LENGTH),
      creatorRevision: UINT32,
    }),
    nodes: list(
      variants('type', { ...NODES, unknown: { fields: { nodeType: UINT8, content: digits() } } }),
    ),
  },
  { reserved: digits(VIOT_HEADER_SIZE - VIOT_RESERVED), gap: digits(), trailing: digits() },
);

const MODEL = oneOf(['vt-d', 'amd-vi', 'smmu', 'smmu-v3']);

const TOPOLOGY = object({
  iommus: list(
    variants('kind', {
      pci: { fields: { segment: UINT16, bdf: UINT16 } },
      mmio: { fields: { base: ADDRESS } },
      vendor: { fields: { model: MODEL, base: ADDRESS } },
    }),
  ),
  endpoints: list(
    variants('kind', {
      pci: {
        fields: {
          segmentStart: UINT16,
          segmentEnd: UINT16,
          bdfStart: UINT16,
          bdfEnd: UINT16,
          endpointStart: UINT32,
          iommu: UINT16,
        },
      },
      mmio: { fields: { base: ADDRESS, endpoint: UINT32, iommu: UINT16 } },
    }),
  ),
});

/** @throws ViotError `SYNTAX` */
export function documentFromJson(bytes: Uint8Array): Document {
  const value = parse(bytes);
  if (typeof value === 'object' && value !== null && 'iommus' in value) {
    return {
      form: 'topology',
      topology: checked<Topology>(value, TOPOLOGY),
      source: 'JSON',
      passedOver: [],
    };
  }
  return { form: 'table', table: checked<ViotTable>(value, TABLE) };
}

function checked<Value>(value: unknown, shape: Shape): Value {
  shape(value, '');
  return value as Value;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new ViotError('SYNTAX', `this is no JSON: ${(error as Error).message}`);
  }
}
