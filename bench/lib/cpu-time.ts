import { readdirSync, readFileSync } from "node:fs";

/** Ticks of the kernel's clock in a second: it is 100 on every Linux that Node runs on. */
const TICKS = 100;

/** CPU time of a process and all below it that runs, and of what of theirs has ended, in milliseconds. */
export function cpuTimeMs(pid: number): number {
  const children = new Map<number, number[]>();
  const times = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    const stat = readStat(name);
    if (stat === undefined) continue;
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), Number(name)]);
    times.set(Number(name), stat.ticks);
  }
  const sum = (each: number): number =>
    (times.get(each) ?? 0) +
    (children.get(each) ?? []).reduce((total, child) => total + sum(child), 0);
  return (sum(pid) * 1000) / TICKS;
}

function readStat(pid: string): { readonly parent: number; readonly ticks: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // the program's name may have anything in it
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const ticks = [11, 12, 13, 14].reduce((total, at) => total + Number(fields[at]), 0);
    return { parent: Number(fields[1]), ticks };
  } catch {
    return undefined;
  }
}
