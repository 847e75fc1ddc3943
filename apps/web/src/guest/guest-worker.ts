/** The worker in which the guest of the page runs: it fetches the parts, and does what the page asks for. */
import { fetchGuest, findGuest } from './fetch-parts.ts';
import { GuestMachine } from './guest-machine.ts';
import type { GuestCommand, GuestReport } from './guest-messages.ts';
import { type RunningEmulator, startEmulator } from './start-emulator.ts';

/** What is used of the worker's global scope. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<GuestCommand>) => void) | null;
  onunhandledrejection: ((event: PromiseRejectionEvent) => void) | null;
  postMessage(report: GuestReport): void;
}

const scope = globalThis as unknown as WorkerScope;
/** Milliseconds between two updates, at least. */
const INTERVAL = 100;

const machine = new GuestMachine();
let emulator: RunningEmulator | undefined;
/** The page has asked for the boot. */
const asked = deferred();
/** The first update has been drawn. */
const shown = deferred();
/** The page has drawn what it was told last. */
let isDrawn = true;

scope.onmessage = ({ data: command }) => obey(command);
// The emulator's own, of which nobody else hears.
scope.onunhandledrejection = ({ reason }) => fail(reason);

function obey(command: GuestCommand): void {
  switch (command.kind) {
    case 'boot':
      asked.resolve();
      break;
    case 'type':
      emulator?.type(command.text);
      break;
    case 'drawn':
      isDrawn = true;
      shown.resolve();
      break;
    case 'stray':
      machine.stray(command.iommu, command.endpoint);
      emulator?.service();
      break;
    case 'limit':
      machine.limit(command.mappings);
      break;
    case 'hold':
      if (command.isHeld) machine.hold.hold();
      else machine.hold.release();
      emulator?.service();
      tell();
      break;
    case 'stepDma':
      machine.hold.step(() => emulator?.service());
      tell();
      break;
    case 'walk':
      machine.query = command.query;
      tell();
  }
}

/** Also when the page has not drawn the last one: what one does oneself is seen at once. */
function tell(): void {
  isDrawn = false;
  scope.postMessage({
    kind: 'update',
    update: machine.takeUpdate(),
    walk: machine.answer(),
    isHeld: machine.hold.isHeld,
  });
}

async function boot(): Promise<void> {
  const guest = await findGuest();
  if (guest === undefined) {
    scope.postMessage({ kind: 'missing' });
    return;
  }
  // All of the page is there before something takes the processors: what is unpacked, and an engine that compiles on several threads.
  tell();
  await Promise.all([asked.promise, shown.promise]);
  const parts = await fetchGuest(guest, (bytes, total) =>
    scope.postMessage({ kind: 'loading', bytes, total }),
  );
  scope.postMessage({ kind: 'booting', kernelRelease: guest.kernelRelease });
  emulator = await startEmulator(parts, machine, (bytes) =>
    scope.postMessage({ kind: 'console', bytes }),
  );
  setInterval(() => {
    if (isDrawn) tell();
  }, INTERVAL);
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  scope.postMessage({ kind: 'failed', message });
}

boot().catch(fail);
