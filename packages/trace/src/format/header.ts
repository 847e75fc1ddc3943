/** headerOf: a header as JSON has it, checked, since a trace may come from anywhere. */
import { TraceError } from '../trace-error.ts';
import type { DiskContent, TracedDisk, TraceHeader } from './trace-events.ts';

type Fields = Readonly<Record<string, unknown>>;

const SEED_MAX = 2 ** 32 - 1;
const FRAME_MAX = 1 << 17;

/** @throws TraceError that names the field */
export function headerOf(json: unknown): TraceHeader {
  const fields = fieldsOf(json, 'header');
  return {
    title: textOf(fields, 'title'),
    startedAt: textOf(fields, 'startedAt'),
    versions: Object.fromEntries(
      Object.entries(fieldsOf(fields.versions, 'versions')).map(([name, version]) => [
        name,
        String(version),
      ]),
    ),
    machine: fields.machine,
    functions: listOf(fields, 'functions').map((one) => ({
      name: textOf(one, 'name'),
      bdf: numberOf(one, 'bdf', 0xffff),
    })),
    disks: listOf(fields, 'disks').map(diskOf),
    networks: listOf(fields, 'networks').map((one) => ({
      largestFrame: numberOf(one, 'largestFrame', FRAME_MAX),
    })),
  };
}

function diskOf(fields: Fields): TracedDisk {
  const { readOnly } = fields;
  if (typeof readOnly !== 'boolean') throw damaged('readOnly');
  return {
    size: numberOf(fields, 'size', Number.MAX_SAFE_INTEGER),
    readOnly,
    content: contentOf(fieldsOf(fields.content, 'content')),
  };
}

function contentOf(fields: Fields): DiskContent {
  switch (fields.kind) {
    case 'zeros':
      return { kind: 'zeros' };
    case 'pattern':
      return { kind: 'pattern', seed: numberOf(fields, 'seed', SEED_MAX) };
    default:
      throw damaged('content.kind');
  }
}

function listOf(fields: Fields, name: string): Fields[] {
  const list = fields[name];
  if (!Array.isArray(list)) throw damaged(name);
  return list.map((one) => fieldsOf(one, name));
}

function fieldsOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null) throw damaged(name);
  return value as Fields;
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw damaged(name);
  return value;
}

function numberOf(fields: Fields, name: string, last: number): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > last) {
    throw damaged(name);
  }
  return value;
}

function damaged(name: string): TraceError {
  return new TraceError(`the header of the trace is damaged at "${name}"`);
}
