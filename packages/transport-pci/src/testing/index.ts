export { pciFunctionSuite } from './pci-function-suite.ts';
export type { SentMessage } from './recording-host.ts';
export { RecordingHost } from './recording-host.ts';
