/** The scenario `passthrough`: a program in the guest drives a device of the host, which is passed through twice. */

import type { PassThroughStep } from '@viommu/inspector';
import { ENGINE_BDF, standardMachine } from '@viommu/machine';
import type { VfioReport } from '../../guest/guest-report.ts';
import type { ServerMessage } from '../../server/server-messages.ts';
import type { Check, Scenario, ScenarioJudgement, ScenarioOutcome } from './scenario.ts';

const DONE = 2;
const ERROR = 3;
const ACCESS_READ = 1;
const DISK_BYTES = 16 << 20;

export const PASSTHROUGH_SCENARIO: Scenario = {
  name: 'passthrough',
  summary: "a device of the simulated host, driven from the guest's user space with VFIO",
  machine: {
    diskBytes: [DISK_BYTES],
    describe: (setting) => standardMachine({ ...setting, engine: true }),
  },
  steps: () => [{ step: 'report' }, { step: 'vfio', bdf: ENGINE_BDF }],
  faults: 2,
  parts: { compiler: true },
  judge,
};

type MessageOf<Type extends PassThroughStep['type']> = Extract<PassThroughStep, { type: Type }>;

/** One address on its way through the figure, as each party saw it. */
interface Walk {
  readonly virtualAddress: number;
  readonly iova: number;
  readonly guestPhysical: number;
  readonly vmmAddress: number;
  readonly hostPhysical: number;
}

function judge({ run, messages }: ScenarioOutcome): ScenarioJudgement {
  const boot = run.report.boots[0];
  const vfio = boot?.vfio;
  const [inside, outside, unmapped] = vfio?.copies ?? [];
  // Where no message is delivered the program looks at the engine's register instead.
  const interrupts = vfio?.vectors === 0 ? 0 : 1;
  const guestMaps = ofType(messages, 'guestMapped');
  const hostMaps = ofType(messages, 'hostMapped').filter(({ iova }) => isIn(vfio?.map, iova));
  const start = ofType(messages, 'engineStarted')[0];
  const accesses = ofType(messages, 'engineAccess');
  const walk = vfio === undefined ? undefined : walkOf(vfio, guestMaps, hostMaps);
  const firstRead = accesses.find(({ access }) => access === ACCESS_READ);
  const untranslated = accesses.filter(
    (access) => physicalOf(hostMaps, access) !== access.hostPhysical,
  );
  const reported = messages.filter(({ type }) => type === 'fault').length;
  const log = boot?.log.filter((line) => / fault from EP /.test(line)) ?? [];
  const told = (address: number | undefined): boolean =>
    address !== undefined && log.some((line) => line.includes(`0x${address.toString(16)} `));

  const checks: Check[] = [
    {
      holds: vfio !== undefined && vfio.copies.length === 3,
      text: `the engine is bound to vfio-pci, and its group ${vfio?.group ?? '-'} is open in user space`,
    },
    {
      holds:
        walk !== undefined &&
        new Set(Object.values(walk)).size === 4 &&
        walk.iova === walk.virtualAddress,
      text: "VA and IOVA are one address; guest-physical, the VMM's and host-physical are three others",
    },
    {
      holds: inside?.status === DONE && inside.equal && inside.interrupts === interrupts,
      text: `${inside?.length ?? 0} bytes copied, ${inside?.equal ? 'equal' : 'different'}; interrupts that came: ${inside?.interrupts ?? 0}`,
    },
    {
      holds: accesses.length > 0 && untranslated.length === 0,
      text: `${accesses.length} accesses of the engine, ${untranslated.length} of them elsewhere than where the host mapped the page`,
    },
    {
      holds: refused(outside, interrupts),
      text: `an access outside the mapping is refused at ${hex(outside?.errorAddress)}`,
    },
    {
      holds: refused(unmapped, interrupts) && vfio?.unmapped === vfio?.map?.length,
      text: `after the unmap of ${vfio?.unmapped ?? 0} bytes the first copy is refused, too, at ${hex(unmapped?.errorAddress)}`,
    },
    {
      holds: reported === 2 && told(outside?.errorAddress) && told(unmapped?.errorAddress),
      text: `the guest's kernel logs both faults: ${log.join(' | ') || 'nothing'}`,
    },
  ];
  const lines = [
    'A device passed through twice',
    `  1a  the program maps VA ${hex(vfio?.map?.virtualAddress)} at IOVA ${hex(vfio?.map?.iova)}, ${vfio?.map?.length ?? 0} bytes`,
    `  1b  the guest's driver relays that in ${guestMaps.length} MAP requests: the first page is guest-physical ${hex(walk?.guestPhysical)}`,
    `  1c  the VMM has it at ${hex(walk?.vmmAddress)}, and the host maps host-physical ${hex(walk?.hostPhysical)}; ${hostMaps.length} runs in all`,
    `  2a  the program tells the engine to copy ${start?.length ?? 0} bytes from ${hex(start?.source)} to ${hex(start?.destination)}`,
    `  2b  the physical IOMMU translates: the engine reads at ${hex(firstRead?.address)}, which is host-physical ${hex(firstRead?.hostPhysical)}`,
  ];
  return {
    checks,
    facts: {
      passthrough: {
        group: vfio?.group,
        vectors: vfio?.vectors,
        walk,
        guestMappings: guestMaps.length,
        hostMappings: hostMaps.length,
        accesses: accesses.length,
        copies: vfio?.copies ?? [],
        kernelLog: log,
      },
    },
    lines,
  };
}

function ofType<Type extends PassThroughStep['type']>(
  messages: readonly ServerMessage[],
  type: Type,
): MessageOf<Type>[] {
  return messages.filter((message): message is MessageOf<Type> => message.type === type);
}

/** While the device bypasses, the host maps all of the guest's memory for it: of no interest here. */
function isIn(map: VfioReport['map'], iova: number): boolean {
  return map !== undefined && iova >= map.iova && iova < map.iova + map.length;
}

/** The buffer's first page, on its way from the program to the host's memory. */
function walkOf(
  { map }: VfioReport,
  guestMaps: readonly MessageOf<'guestMapped'>[],
  hostMaps: readonly MessageOf<'hostMapped'>[],
): Walk | undefined {
  const iova = map?.iova ?? -1;
  const guest = guestMaps.find(({ virtStart, virtEnd }) => virtStart <= iova && iova <= virtEnd);
  const host = hostMaps.find((candidate) => candidate.iova <= iova && iova <= candidate.iovaEnd);
  if (map === undefined || guest === undefined || host === undefined) return undefined;
  return {
    virtualAddress: map.virtualAddress,
    iova,
    guestPhysical: guest.physStart + (iova - guest.virtStart),
    vmmAddress: host.userAddress + (iova - host.iova),
    hostPhysical: host.hostPhysical + (iova - host.iova),
  };
}

/** Where the host mapped what the engine accessed. */
function physicalOf(
  hostMaps: readonly MessageOf<'hostMapped'>[],
  { address }: MessageOf<'engineAccess'>,
): number | undefined {
  const host = hostMaps.findLast(({ iova, iovaEnd }) => iova <= address && address <= iovaEnd);
  return host && host.hostPhysical + (address - host.iova);
}

/** The engine says where it was refused, interrupts, and nothing has arrived. */
function refused(copy: VfioReport['copies'][number] | undefined, interrupts: number): boolean {
  if (copy === undefined || copy.interrupts !== interrupts) return false;
  const { status, errorAddress, source, equal } = copy;
  return status === ERROR && errorAddress === source && equal;
}

function hex(address: number | undefined): string {
  return address === undefined ? 'nowhere' : `0x${address.toString(16)}`;
}
