/** Values in the words of QEMU's command line. */

/** In QEMU's comma-separated options a comma of a value is doubled. */
export function doubleCommas(value: string): string {
  return value.replaceAll(',', ',,');
}
