/** The lines that `serve` and `linux` print for what the server thread says. */
import type { ServerMessage, ServerStatistics } from './server-messages.ts';

const FAULT_REASONS = ['unknown reason', 'no domain', 'no mapping'];

/** Whether a message is worth a line as it comes: what there are thousands of is summed up at the end. */
export function isEvent({ type }: ServerMessage): boolean {
  return ['attached', 'detached', 'fault', 'injected', 'log'].includes(type);
}

/** Whether a message is for stderr. */
export function isTrouble(message: ServerMessage): boolean {
  return message.type === 'log' && message.level !== 'info';
}

/** One line for one message. */
export function messageLine(message: ServerMessage): string {
  switch (message.type) {
    case 'attached':
      return `attach  ${message.device} -> domain ${message.domain}${message.bypass ? ' (bypass)' : ''}`;
    case 'detached':
      return `detach  ${message.device} from domain ${message.domain}`;
    case 'fault': {
      const access = message.access === 2 ? 'write' : 'read';
      const told = message.delivered ? 'the guest was told' : 'no event buffer';
      return `fault   ${message.device} ${access} at 0x${message.address.toString(16)}: ${FAULT_REASONS[message.reason] ?? message.reason}; ${told}`;
    }
    case 'injected':
      return `inject  rule ${message.rule}: ${message.text}`;
    case 'log':
      return `${message.level.padEnd(7)} ${message.message}`;
    case 'failed':
      return `error   ${message.message}`;
    default:
      return message.type;
  }
}

/** The counts at the end, for people. */
export function statisticsLines(statistics: ServerStatistics): string[] {
  return [
    ...statistics.iommus.map(({ requests, faults }, index) => {
      const name = statistics.iommus.length === 1 ? 'requests' : `requests of IOMMU ${index}`;
      return `${name}: ${requests.probe} probe, ${requests.attach} attach, ${requests.detach} detach, ${requests.map} map, ${requests.unmap} unmap; ${faults} faults`;
    }),
    ...statistics.endpoints.map(
      ({ device, translatedBytes, bypassedBytes, bypassedAfterAttach }) =>
        `${device}: ${translatedBytes} bytes translated, ${bypassedBytes} bypassed (${bypassedAfterAttach} of them after the guest's driver was up)`,
    ),
  ];
}
