/** runControl: asks a control socket for one thing, and prints the answer. */
import type {
  DumpedMapping,
  DumpResult,
  FaultResult,
  ListResult,
  RulesResult,
  StatResult,
  TranslateResult,
} from '../control/control-protocol.ts';
import { ControlConnection } from './control-connection.ts';
import { listTables, mappingTable, rulesTable, statTables, translateText } from './ctl-tables.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface ControlOutput {
  readonly json: boolean;
  print(text: string): void;
}

type Run = (connection: ControlConnection, fields: Fields, output: ControlOutput) => Promise<void>;

const RUNS = {
  list: printed('list', (result) => listTables(result as ListResult)),
  stat: printed('stat', (result) => statTables(result as StatResult)),
  dump: runDump,
  translate: printed('translate', (result) => translateText(result as TranslateResult)),
  watch: runWatch,
  fault: printed('fault', (result) => {
    const { device, reason, delivered } = result as FaultResult;
    return `${device}: ${reason}; ${delivered ? 'the guest was told' : 'the guest was not told'}`;
  }),
  reset: printed('reset', () => 'DEVICE_NEEDS_RESET is set, and the guest has been interrupted'),
  inject: printed('inject', (result) => `rule ${(result as { ids: number[] }).ids.join(', ')}`),
  rules: printed('rules', (result) => rulesTable(result as RulesResult)),
  clear: printed('clear', (result) => `${(result as { cleared: number }).cleared} removed`),
} satisfies Record<string, Run>;

/**
 * @param path of the socket
 * @throws {CommandError} when there is no server, or it objects
 */
export async function runControl(
  path: string,
  command: keyof typeof RUNS,
  fields: Fields,
  output: ControlOutput,
): Promise<void> {
  const connection = await ControlConnection.open(path);
  try {
    await RUNS[command](connection, fields, output);
  } finally {
    connection.close();
  }
}

function printed(command: string, text: (result: unknown) => string): Run {
  return async (connection, fields, { json, print }) => {
    const result = await connection.ask(command, fields);
    print(json ? JSON.stringify(result) : text(result));
  };
}

/** Asks for part after part. */
async function runDump(
  connection: ControlConnection,
  fields: Fields,
  { json, print }: ControlOutput,
): Promise<void> {
  const mappings: DumpedMapping[] = [];
  let from: number | null = 0;
  let result: DumpResult;
  do {
    result = await connection.ask<DumpResult>('dump', { ...fields, from });
    mappings.push(...result.mappings);
    from = result.next;
  } while (from !== null);
  const { iommu, domain } = result;
  print(
    json
      ? JSON.stringify({ iommu, domain, size: mappings.length, mappings, next: null })
      : mappingTable(mappings),
  );
}

/** Until the server has gone, or the process is interrupted. */
async function runWatch(
  connection: ControlConnection,
  fields: Fields,
  { json, print }: ControlOutput,
): Promise<void> {
  await connection.ask('watch', fields);
  for (;;) {
    const event = await connection.next();
    if (event === undefined) return;
    print(json ? JSON.stringify(event) : `${String(event.event).padEnd(8)} ${event.text}`);
  }
}
