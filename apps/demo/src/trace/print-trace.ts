/** printTrace: a trace as lines. It is replayed meanwhile, since only devices know what their bytes mean. */
import {
  accessVerb,
  effectText,
  faultReason,
  hexNumber,
  operationActor,
  operationText,
  RegisterNames,
  requestFields,
  type StepNames,
  statusName,
} from '@viommu/inspector';
import { ReplayMachine, TraceDivergence, type TraceHeader, type TraceStep } from '@viommu/trace';
import pc from 'picocolors';
import { CommandError, messageOf } from '../command-error.ts';
import { readTrace } from './read-trace.ts';
import { type LoggedFault, type LoggedRequest, TraceEventsLog } from './trace-events-log.ts';

export interface PrintTraceOptions {
  readonly from: number;
  readonly upto?: number;
  /** Name of the one function that matters. */
  readonly function?: string;
  /** Only what the IOMMUs were asked, and what they refused. */
  readonly requests?: boolean;
  readonly json?: boolean;
}

interface Opened {
  readonly header: TraceHeader;
  readonly names: StepNames;
  readonly machine: ReplayMachine;
}

const MICROSECONDS = 1e6;
const INDENT = ' '.repeat(10);

/** @throws CommandError when the file cannot be read, is no trace, or is not what devices do that answer as recorded */
export async function printTrace(
  path: string,
  options: PrintTraceOptions,
  print: (line: string) => void,
): Promise<void> {
  const log = new TraceEventsLog();
  const { from, upto = Number.POSITIVE_INFINITY } = options;
  let opened: Opened | undefined;
  const isComplete = await readTrace(path, {
    header(header) {
      opened = open(path, header, log);
      checkFunction(options.function, header);
      for (const line of headerLines(header, options.json)) print(line);
    },
    step(step) {
      if (step.index >= upto) return false;
      const { header, names, machine } = opened!;
      apply(path, machine, step);
      const events = log.take();
      if (step.index < from || !isWanted(step, header, options)) return true;
      const lines = options.json
        ? jsonLines(step, header, events, options)
        : textLines(step, header, names, events, options);
      for (const line of lines) print(line);
      return true;
    },
  });
  if (!isComplete && !options.json) print('the recording was cut off here');
}

function open(path: string, header: TraceHeader, log: TraceEventsLog): Opened {
  try {
    const machine = new ReplayMachine(header, { observe: log.observe });
    const names = machine.machine.functions.map(({ name, function: one }) => ({
      name,
      registers: new RegisterNames(one),
    }));
    return { header, names, machine };
  } catch (error) {
    throw new CommandError(`${path}: ${messageOf(error)}`, { cause: error });
  }
}

function apply(path: string, machine: ReplayMachine, step: TraceStep): void {
  try {
    machine.apply(step);
  } catch (error) {
    const hint =
      error instanceof TraceDivergence ? '; these devices are not those that were recorded' : '';
    throw new CommandError(`${path}: ${messageOf(error)}${hint}`, { cause: error });
  }
}

function checkFunction(name: string | undefined, { functions }: TraceHeader): void {
  if (name === undefined || functions.some((one) => one.name === name)) return;
  throw new CommandError(
    `--function: the trace has no ${name}; it has ${functions.map((one) => one.name).join(', ')}`,
  );
}

function isWanted(
  { operation }: TraceStep,
  { functions }: TraceHeader,
  options: PrintTraceOptions,
): boolean {
  if (options.function === undefined) return true;
  return 'function' in operation && functions[operation.function]?.name === options.function;
}

function headerLines(header: TraceHeader, json: boolean | undefined): string[] {
  if (json) return [JSON.stringify({ header })];
  const { title, startedAt, versions } = header;
  const made = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [pc.bold(title), `recorded at ${startedAt} with ${made.join(', ')}`];
}

function textLines(
  step: TraceStep,
  header: TraceHeader,
  names: StepNames,
  events: readonly (LoggedRequest | LoggedFault)[],
  { requests }: PrintTraceOptions,
): string[] {
  const { index, time, operation, effects } = step;
  const at = `${String(index).padStart(7)} ${(time / MICROSECONDS).toFixed(6).padStart(11)}`;
  const told = events.map((event) => eventText(event, header));
  if (isIdle(step)) return [];
  if (requests) return told.map((text) => `${pc.dim(at)}  ${text}`);
  const actor = operationActor(operation, names).padEnd(8);
  return [
    `${pc.dim(at)}  ${pc.bold(actor)} ${operationText(operation, names)}`,
    ...effects.map((effect) => `${INDENT}${pc.dim(effectText(effect, header))}`),
    ...told.map((text) => `${INDENT}${text}`),
  ];
}

/** Functions are asked far more often whether there is work than there is any. */
function isIdle({ operation, effects }: TraceStep): boolean {
  const [first] = effects;
  return (
    operation.kind === 'service' &&
    effects.length === 1 &&
    first?.kind === 'served' &&
    !first.workLeft
  );
}

function eventText(event: LoggedRequest | LoggedFault, { functions }: TraceHeader): string {
  const iommu = functions[event.iommu]?.name ?? `iommu ${event.iommu}`;
  if (event.kind === 'request') {
    const status = statusName(event.status);
    return `${pc.cyan(iommu)}: ${requestFields(event)}: ${event.status === 0 ? pc.green(status) : pc.yellow(status)}`;
  }
  const { endpoint, access, address, reason, delivered } = event;
  return `${pc.cyan(iommu)}: ${pc.red(
    `endpoint ${hexNumber(endpoint)} may not ${accessVerb(access)} at ${hexNumber(address)}: ${faultReason(reason)}`,
  )}; ${delivered ? 'the driver is told' : 'the driver gave no buffer to be told in'}`;
}

function jsonLines(
  { index, time, operation, effects }: TraceStep,
  { functions }: TraceHeader,
  events: readonly (LoggedRequest | LoggedFault)[],
  { requests }: PrintTraceOptions,
): string[] {
  if (requests && events.length === 0) return [];
  const { time: _, ...fields } = operation;
  const name = 'function' in operation ? functions[operation.function]?.name : undefined;
  return [
    JSON.stringify(
      {
        index,
        microseconds: time,
        ...fields,
        ...(name === undefined ? {} : { function: name }),
        ...(requests ? {} : { effects }),
        events,
      },
      (_key, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value),
    ),
  ];
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
