/** Compares a kernel's configuration with what was asked for: kconfig drops, without a word, what it does not know or cannot have. */

/**
 * The options of `wanted` that are otherwise in `config`.
 *
 * @param wanted lines `CONFIG_NAME=value` and `# CONFIG_NAME is not set`; all else is comment
 * @param config the text of a `.config`
 */
export function optionsThatDiffer(wanted: string, config: string): string[] {
  const values = optionsOf(config);
  return [...optionsOf(wanted)]
    .filter(([name, value]) => (values.get(name) ?? 'n') !== value)
    .map(([name]) => name);
}

/** Values by name; `n` of what is not set. */
function optionsOf(text: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const [, unset, name, value] of text.matchAll(
    /^(?:# (CONFIG_\w+) is not set|(CONFIG_\w+)=(.*))$/gm,
  )) {
    options.set((unset ?? name)!, value ?? 'n');
  }
  return options;
}
