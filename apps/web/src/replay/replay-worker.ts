/** The worker that replays a trace or plays a scenario: it obeys the page's commands, and reports what the devices do. */
import type { WalkQuery } from '@viommu/inspector';
import { loadTrace } from './load-trace.ts';
import type { Player } from './player.ts';
import type { ReplayCommand, ReplayReport } from './replay-messages.ts';
import { ScenarioPlayer } from './scenario-player.ts';
import { SCENARIOS } from './scenarios.ts';
import { TracePlayer } from './trace-player.ts';

/** What is used of the worker's global scope. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ReplayCommand>) => void) | null;
  postMessage(report: ReplayReport): void;
}

const scope = globalThis as unknown as WorkerScope;
/** Milliseconds between two reports while it plays. */
const TICK = 40;
/** Milliseconds of a tick that are spent on replaying, so that commands are heard. */
const WORK = 25;

let player: Player | undefined;
let query: WalkQuery | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
/** Counts the traces that were opened, since loading takes time and another may be asked for meanwhile. */
let opened = 0;

scope.onmessage = ({ data: command }) => {
  obey(command).catch((error: unknown) => {
    pause();
    const message = error instanceof Error ? error.message : String(error);
    if (player !== undefined) report();
    scope.postMessage({ kind: 'failed', message });
  });
};

async function obey(command: ReplayCommand): Promise<void> {
  switch (command.kind) {
    case 'open': {
      const response = fetch(command.url).then((answer) => {
        if (!answer.ok || answer.body === null) {
          throw new Error(`${command.url} cannot be loaded: ${answer.status} ${answer.statusText}`);
        }
        return answer.body;
      });
      await openTrace(response, command.position);
      return;
    }
    case 'openFile':
      await openTrace(command.file.stream());
      return;
    case 'openScenario':
      close();
      open(new ScenarioPlayer(SCENARIOS[command.scenario]), command.position ?? 0);
      return;
    case 'play':
      pause();
      play(command.speed);
      return;
    case 'pause':
      pause();
      break;
    case 'step':
      pause();
      if (player?.isAtEnd === false) player.step();
      break;
    case 'jump':
      pause();
      player?.jump(command.position);
      break;
    case 'walk':
      ({ query } = command);
  }
  report();
}

async function openTrace(
  source:
    | ReadableStream<Uint8Array<ArrayBuffer>>
    | Promise<ReadableStream<Uint8Array<ArrayBuffer>>>,
  position?: number,
): Promise<void> {
  close();
  const mine = opened;
  const loaded = await loadTrace(await source);
  if (mine !== opened) return;
  const traced = new TracePlayer(loaded);
  // Before its first request a boot only looks for devices.
  open(traced, position ?? traced.summary.requests[0] ?? 0);
}

function close(): void {
  pause();
  player = undefined;
  query = undefined;
  opened += 1;
}

function open(fresh: Player, position: number): void {
  player = fresh;
  scope.postMessage({ kind: 'opened', trace: fresh.summary });
  fresh.jump(position);
  report();
}

function play(speed: number): void {
  let last = performance.now();
  let credit = 0;
  const tick = (): void => {
    const playing = player;
    if (playing === undefined) return;
    const started = performance.now();
    credit = Number.isFinite(speed) ? credit + (started - last) * 1000 * speed : speed;
    last = started;
    try {
      while (!playing.isAtEnd && performance.now() - started < WORK) {
        const cost = playing.pause;
        if (cost > credit) break;
        credit -= cost;
        playing.step();
      }
    } catch (error) {
      timer = undefined;
      report();
      scope.postMessage({ kind: 'failed', message: (error as Error).message });
      return;
    }
    // Where the machine is too slow for the speed, it does not catch up later.
    credit = Math.min(credit, playing.pause);
    timer = playing.isAtEnd ? undefined : setTimeout(tick, TICK - WORK);
    report();
  };
  tick();
}

function pause(): void {
  clearTimeout(timer);
  timer = undefined;
}

function report(): void {
  if (player === undefined) return;
  scope.postMessage({
    kind: 'moved',
    position: player.position,
    isPlaying: timer !== undefined,
    step: player.describe(),
    update: player.takeUpdate(),
    walk: query && player.walk(query),
  });
}
