import { pad, textWidth, wrap } from "../text/layout.ts";
import type { Paint } from "../text/paint.ts";
import { printable } from "../text/printable.ts";
import type { Check } from "./check.ts";

/** What doctor found out about one host. */
export interface HostReport {
  readonly host: string;
  readonly checks: readonly Check[];
}

/** Findings for people, each host with a verdict. Ends with a line end. */
export function renderDoctor(
  reports: readonly HostReport[],
  options: { readonly paint: Paint; readonly columns: number | undefined },
): string {
  const { paint, columns } = options;
  const statuses = { ok: paint.green("ok  "), warn: paint.yellow("warn"), fail: paint.red("fail") };
  const width = Math.max(
    0,
    ...reports.flatMap(({ checks }) => checks.map(({ name }) => textWidth(name))),
  );
  const blocks = reports.map(({ host, checks }) => [
    paint.bold(host),
    ...checks.flatMap(({ name, status, finding, remedy }) => [
      wrap(
        `  ${statuses[status]}  ${pad(name, width)}  ${printable(finding)}`,
        columns,
        " ".repeat(10),
      ),
      ...(remedy === undefined
        ? []
        : [wrap(`        ${printable(remedy)}`, columns, " ".repeat(10))]),
    ]),
    verdict(checks),
  ]);
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function verdict(checks: readonly Check[]): string {
  const failed = checks.filter(({ status }) => status === "fail").length;
  const warned = checks.filter(({ status }) => status === "warn").length;
  if (failed > 0) return `  Not ready: ${failed} of ${checks.length} checks failed.`;
  return warned > 0 ? `  Ready, with ${warned} warning${warned === 1 ? "" : "s"}.` : "  Ready.";
}
