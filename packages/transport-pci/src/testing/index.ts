export { pciFunctionSuite } from './pci-function-suite.ts';
export type { SentMessage } from './recording-host.ts';
export { absentMemory, RecordingHost } from './recording-host.ts';
