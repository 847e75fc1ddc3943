/** Texts from tables and trees may hold what a terminal takes for commands. */

/** The text with each control character as `\xNN`. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are the ones to replace
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (sign) => {
    return `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
