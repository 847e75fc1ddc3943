/** wrapState: what functions are in the middle of rides along in the states that v86 saves and restores. */
import { SnapshotReader } from '@viommu/virtqueue/snapshot';
import type { ConfigView } from './config-view.ts';
import { V86Error } from './v86-error.ts';
import type { V86Cpu } from './v86-internals.ts';

/** v86 itself uses some ninety. */
const PLACE_IN_STATE = 200;
const VERSION = 1;

type Functions = ReadonlyMap<number, ConfigView>;

/**
 * @param functions by place
 * @param restored called when all is as it was saved
 */
export function wrapState(cpu: V86Cpu, functions: Functions, restored: () => void): void {
  const getState = cpu.get_state;
  const setState = cpu.set_state;
  cpu.get_state = () => {
    const state = getState.call(cpu);
    state[PLACE_IN_STATE] = save(functions);
    return state;
  };
  cpu.set_state = (state) => {
    // Ours is checked first: when it is of another machine nothing has changed.
    const restores = prepare(functions, state[PLACE_IN_STATE]);
    setState.call(cpu, state);
    try {
      for (const restore of restores) restore();
    } catch (error) {
      for (const { pci } of functions.values()) pci.reset();
      throw error;
    } finally {
      restored();
    }
  };
}

/** As text: of the objects in a state v86 takes its own alone. */
function save(functions: Functions): string {
  const saved = [...functions].map(([place, { pci }]) => {
    if (pci.snapshot === undefined) {
      throw new V86Error(
        'SNAPSHOT',
        `the function at 0x${place.toString(16)} cannot say its state: leave it out of a machine whose state is saved`,
      );
    }
    return { place, snapshot: pci.snapshot() };
  });
  return JSON.stringify({ version: VERSION, functions: saved });
}

function prepare(functions: Functions, text: unknown): (() => void)[] {
  const saved = parse(text).field('functions').items(0x100);
  const parts = saved.map((one) => ({
    place: one.field('place').integer(0, 0xff),
    snapshot: one.field('snapshot'),
  }));
  const isSame =
    parts.length === functions.size && parts.every(({ place }) => functions.has(place));
  if (!isSame) {
    throw new V86Error(
      'SNAPSHOT',
      'the state is of a machine with other functions: plug in the same ones, at the same places',
    );
  }
  // It can be restored, as it has a snapshot.
  return parts.map(({ place, snapshot }) => functions.get(place)!.pci.prepareRestore!(snapshot));
}

function parse(text: unknown): SnapshotReader {
  if (typeof text !== 'string') {
    throw new V86Error('SNAPSHOT', 'the state was saved without these functions');
  }
  try {
    const reader = new SnapshotReader(JSON.parse(text), 'the functions of the state');
    reader.version(VERSION);
    return reader;
  } catch (error) {
    throw new V86Error('SNAPSHOT', `the state is damaged: ${(error as Error).message}`);
  }
}
