const NANOSECONDS = 1_000_000_000n;
const TAB_WIDTH = 8;

/** JSON as Go writes it: `<`, `>` and `&` escaped; bigints as numbers. */
export function goJson(value: unknown, indent = ""): string {
  const numbers: string[] = [];
  const text = JSON.stringify(
    value,
    (_key, inner: unknown) => {
      if (typeof inner !== "bigint") return inner;
      numbers.push(inner.toString());
      return `\u0000${numbers.length - 1}`;
    },
    indent,
  );
  return text
    .replace(/"\\u0000(\d+)"/g, (_match, at: string) => numbers[Number(at)] ?? "")
    .replace(
      /[<>&\u2028\u2029]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}

/** A time as `2006-01-02 15:04:05.999 -0700 MST` prints it, in UTC; the zero time for undefined. */
export function goTime(time: bigint | undefined): string {
  if (time === undefined) return "0001-01-01 00:00:00 +0000 UTC";
  const text = new Date(Number(time / 1_000_000n)).toISOString();
  const fraction = text.slice(20, 23).replace(/0+$/, "");
  const whole = `${text.slice(0, 10)} ${text.slice(11, 19)}`;
  return `${whole}${fraction === "" ? "" : `.${fraction}`} +0000 UTC`;
}

/** How long ago a time is, in the words of `rkt list`. */
export function goAgo(time: bigint | undefined): string {
  if (time === undefined) return "a long while ago";
  const seconds = Number((BigInt(Date.now()) * 1_000_000n - time) / NANOSECONDS);
  if (seconds < 1) return "now";
  const [unit, size] = (
    [
      ["day", 86_400],
      ["hour", 3600],
      ["minute", 60],
      ["second", 1],
    ] as const
  ).find(([, length]) => seconds >= length) ?? ["second", 1];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

/** Whole seconds of a time in nanoseconds. */
export function inSeconds(time: bigint): bigint {
  return time / NANOSECONDS;
}

/** Rows under each other as Go's tabwriter does it with tabs of 8. */
export function goTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) => {
    const longest = Math.max(...rows.map((row) => [...(row[at] ?? "")].length));
    return Math.ceil((longest + 1) / TAB_WIDTH) * TAB_WIDTH;
  });
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) =>
        at === row.length - 1
          ? cell
          : cell + "\t".repeat(Math.ceil(((widths[at] ?? 0) - [...cell].length) / TAB_WIDTH)),
      )
      .join("");
  return rows.map((row) => `${line(row)}\n`).join("");
}

/** A Go duration (`10s`, `1h30m`, `100ms`) in milliseconds; undefined when it is none. */
export function goDuration(text: string): number | undefined {
  const sizes: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (sizes[unit ?? ""] ?? 0),
    0,
  );
}

/** Milliseconds as Go prints a duration: `1h0m0s`. */
export function goDurationText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = `${seconds % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${tail}`;
  return minutes > 0 ? `${minutes}m${tail}` : tail;
}
