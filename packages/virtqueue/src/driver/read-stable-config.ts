/** readStableConfig: reads fields of the configuration that belong together ("Device Configuration Space"). */
import type { DriverTransport } from './driver-transport.ts';

/** Reads again for as long as the configuration changes meanwhile. */
export function readStableConfig<T>(transport: DriverTransport, read: () => T): T {
  for (;;) {
    const generation = transport.readConfigGeneration();
    const value = read();
    if (transport.readConfigGeneration() === generation) return value;
  }
}
