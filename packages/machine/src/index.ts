export {
  describeDevice,
  describePlace,
  iommuSocketName,
  socketNames,
  windowsSocketName,
} from './describe.ts';
export { describeAsJson, descriptionOf } from './description-json.ts';
export type { Machine, MachineEndpoint, MachineFunction, MachineOptions } from './machine.ts';
export { createMachine } from './machine.ts';
export type * from './machine-description.ts';
export type { MachineDisk, MachineNetwork, MachineParts } from './machine-parts.ts';
export { machineTopology, windowAddress } from './machine-topology.ts';
export type { IommuMakerOptions, MachineIommu } from './make-iommu.ts';
export type { PassThrough, PassThroughObserver, PassThroughOptions } from './pass-through.ts';
export { createPassThrough } from './pass-through.ts';
export { macOf, pciDisk, pciEndpoint } from './pci-endpoint.ts';
export type { StandardMachineOptions } from './standard-machine.ts';
export { ENGINE_BDF, NET_BDF, standardMachine, X86_MSI_WINDOWS } from './standard-machine.ts';
