export type { FaultEntry } from './fault-log.ts';
export { FaultLog } from './fault-log.ts';
export type { SimBackendOptions } from './sim-backend.ts';
export { simBackend } from './sim-backend.ts';
