/** The lines that `serve` and `linux` print for what the server thread says. */
import { formatBdf } from '@viommu/viot';
import type { ServerMessage, ServerStatistics } from './server-messages.ts';

const FAULT_REASONS = ['unknown reason', 'no domain', 'no mapping'];

/** Whether a message is worth a line as it comes: what there are thousands of is summed up at the end. */
export function isEvent({ type }: ServerMessage): boolean {
  return type === 'attached' || type === 'detached' || type === 'fault' || type === 'log';
}

/** One line for one message. */
export function messageLine(message: ServerMessage): string {
  switch (message.type) {
    case 'attached':
      return `attach  ${formatBdf(message.endpoint)} -> domain ${message.domain}${message.bypass ? ' (bypass)' : ''}`;
    case 'detached':
      return `detach  ${formatBdf(message.endpoint)} from domain ${message.domain}`;
    case 'fault': {
      const access = message.access === 2 ? 'write' : 'read';
      const told = message.delivered ? 'the guest was told' : 'no event buffer';
      return `fault   ${formatBdf(message.endpoint)} ${access} at 0x${message.address.toString(16)}: ${FAULT_REASONS[message.reason] ?? message.reason}; ${told}`;
    }
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
  const { requests } = statistics;
  return [
    `requests: ${requests.probe} probe, ${requests.attach} attach, ${requests.detach} detach, ${requests.map} map, ${requests.unmap} unmap; ${statistics.faults} faults`,
    ...statistics.endpoints.map(
      ({ endpoint, translatedBytes, bypassedBytes, bypassedAfterAttach }) =>
        `${formatBdf(endpoint)}: ${translatedBytes} bytes translated, ${bypassedBytes} bypassed (${bypassedAfterAttach} of them after the guest's driver was up)`,
    ),
  ];
}
