export type { DriverTransport, QueueAddresses } from './driver-transport.ts';
