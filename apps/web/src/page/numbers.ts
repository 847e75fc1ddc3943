/** Numbers as the page writes them. */

/** Made once: that takes longer than the work of thousands. */
const COUNTS = new Intl.NumberFormat('en');
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Such as `4 KiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** Microseconds as `12.345 s`. */
export function secondsText(microseconds: number): string {
  return `${(microseconds / 1e6).toFixed(3)} s`;
}

/** Microseconds in the unit that fits, such as `1.25 ms`. */
export function durationText(microseconds: number): string {
  if (microseconds < 1000) return `${Math.round(microseconds)} µs`;
  if (microseconds < 1e6) return `${(microseconds / 1000).toPrecision(3)} ms`;
  return `${(microseconds / 1e6).toPrecision(3)} s`;
}

export function countText(count: number): string {
  return COUNTS.format(count);
}

/** @param plural `s` is put behind `noun` when not given */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${countText(count)} ${count === 1 ? noun : plural}`;
}

/** The next larger or smaller one of numbers that ascend, if there is one. */
export function nextAmong(
  ascending: readonly number[],
  from: number,
  direction: 1 | -1,
): number | undefined {
  return direction === 1
    ? ascending.find((one) => one > from)
    : ascending.findLast((one) => one < from);
}
