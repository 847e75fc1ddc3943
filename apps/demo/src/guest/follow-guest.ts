/** followGuest: follows the serial console of a guest, whatever runs it, and ends it in time. */
import { CommandError } from '../command-error.ts';
import type { GuestReport } from './guest-report.ts';
import { GuestReportReader } from './guest-report-reader.ts';

export interface FollowOptions {
  /** After this the guest is ended; 120 s when not given. */
  readonly timeoutSeconds?: number;
  /** Ends the guest when it fires; when its reason is a {@link CommandError}, that is the problem. */
  readonly signal?: AbortSignal;
  /** Each fact that the guest reports, such as `kernel 6.12.1`, as it comes. */
  readonly onFact?: (text: string) => void;
  /** Each line of the serial console, marker lines too. */
  readonly onLine?: (line: string) => void;
}

export interface GuestRun {
  readonly report: GuestReport;
  /** Why the guest did not run all its steps to the end, in one line; absent when it did. */
  readonly problem?: string;
  /** From the start of what runs the guest to its end. */
  readonly seconds: number;
  /** The last lines of the serial console and of the emulator's own messages, to be shown when there is a problem. */
  readonly tail: readonly string[];
}

/** What a guest runs in. */
export interface RunningGuest {
  /** Resolves when it has ended: to what went wrong, or to nothing. */
  readonly ended: Promise<string | undefined>;
  /** Ends it. */
  stop(): void;
}

/** What it says. */
export interface GuestOutput {
  /** A line of the serial console. */
  line(text: string): void;
  /** A line of the emulator's own. */
  message(text: string): void;
}

/** How many lines are kept for `tail`. */
const TAIL_LINES = 40;

/** Follows a guest until it powers off, the time is over, or `signal` fires. Never throws: see `problem`. */
export async function followGuest(
  options: FollowOptions,
  start: (output: GuestOutput) => RunningGuest,
): Promise<GuestRun> {
  const begin = performance.now();
  const reader = new GuestReportReader();
  const tail: string[] = [];
  const remember = (line: string): void => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
  };

  let stopped: string | undefined;
  const stop = (reason: string): void => {
    stopped ??= reason;
    guest.stop();
  };
  const guest = start({
    line(line) {
      remember(line);
      options.onLine?.(line);
      // It would boot and panic again until the time is over.
      if (line.includes('Kernel panic - ')) stop(`the guest's kernel gave up: ${line.trim()}`);
      const fact = reader.read(line);
      if (fact !== undefined) options.onFact?.(fact);
    },
    message: remember,
  });

  const seconds = options.timeoutSeconds ?? 120;
  const timer = setTimeout(
    () => stop(`the guest did not finish within ${seconds} s`),
    seconds * 1000,
  );
  const abort = (): void => {
    const reason: unknown = options.signal?.reason;
    stop(reason instanceof CommandError ? reason.message : 'interrupted');
  };
  if (options.signal?.aborted) abort();
  options.signal?.addEventListener('abort', abort);
  const ended = await guest.ended;
  clearTimeout(timer);
  options.signal?.removeEventListener('abort', abort);

  const { report } = reader;
  const problem =
    (stopped && stopped + because(report.errors)) ??
    ended ??
    report.errors[0] ??
    (report.done ? undefined : 'the guest ended before its last step');
  return {
    report,
    ...(problem === undefined ? {} : { problem }),
    seconds: (performance.now() - begin) / 1000,
    tail,
  };
}

/** The last complaint, to be put after what came of it. */
export function because(complaints: readonly string[]): string {
  const last = complaints.at(-1);
  return last === undefined ? '' : `: ${last}`;
}
