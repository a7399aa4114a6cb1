const BINARY_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
const DECIMAL_UNITS = ["B", "kB", "MB", "GB", "TB"];

/** An amount of memory or disk: `256 MiB`, `1.5 GiB`, exact where it is written without a fraction. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1024, BINARY_UNITS);
}

/** An amount of data to carry: `12.4 MB`. */
export function formatTransfer(bytes: number): string {
  return scaled(bytes, 1000, DECIMAL_UNITS);
}

/** A time span given in milliseconds: `250 ms`, `10 s`, `1.5 s`, `2 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? round(ms) : Math.round(ms)} ms`;
  if (ms % 60_000 === 0) return `${ms / 60_000} min`;
  return ms < 120_000 ? `${round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

/** How long ago something was: `12 s`, `4 min`, `3 h`, `2 d`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** `1 pod`, `2 pods`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function scaled(amount: number, base: number, units: readonly string[]): string {
  let [value, unit] = [amount, 0];
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${round(value)} ${units[unit]}`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
