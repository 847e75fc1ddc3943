/** Options of v86 for a PC whose devices are ours. */

/**
 * For the constructor of `V86`, beside firmware, memory and what is to boot: firmware hands out ACPI tables, the guest does not begin before
 * the functions are plugged in, v86's own network is not where one of them may go, and there is no keyboard, mouse or speaker.
 */
export const HEADLESS_OPTIONS = {
  acpi: true,
  autostart: false,
  // v86's types know no machine without one.
  net_device: { type: 'none' as 'ne2k' },
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
};
