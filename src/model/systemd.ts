/** There while systemd is a host's first process; units in it end with the boot. */
export const SYSTEMD_RUNNING = "/run/systemd/system";

/** Units of a host's administrator, which outlive a boot. */
export const SYSTEMD_UNITS = "/etc/systemd/system";

/** A text as one word of a command line of systemd's, which expands specifiers and variables within quotes too. */
export function systemdWord(text: string): string {
  const plain = systemdText(text).replaceAll("$", "$$$$");
  return /^[A-Za-z0-9_./:@%$+,-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, "\\$&")}"`;
}

/** A text as the value of a setting of systemd's that is no command line: only specifiers are expanded. */
export function systemdText(text: string): string {
  return text.replaceAll("%", "%%");
}
