import { spawnSync } from "node:child_process";
import { openSync, readFileSync, readlinkSync, statSync } from "node:fs";

/** The kernel's number of the first pid namespace: only there /proc/locks shows every lock. */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";

/** Tells which folders are under an exclusive flock, by the kernel's list where that is whole. */
export function lockReader(): (path: string) => boolean {
  if (readlinkSync("/proc/self/ns/pid") !== FIRST_PID_NAMESPACE) {
    return (path) => spawnSync("flock", ["-sn", path, "true"]).status === 1;
  }
  const locked = new Set(
    [...readFileSync("/proc/locks", "utf8").matchAll(/FLOCK +ADVISORY +WRITE +-?\d+ (\S+) /g)].map(
      ([, place]) => place,
    ),
  );
  return (path) => {
    const { dev, ino } = statSync(path, { bigint: true });
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
    const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
    const hex = (part: bigint) => part.toString(16).padStart(2, "0");
    return locked.has(`${hex(major)}:${hex(minor)}:${ino}`);
  };
}

/**
 * Takes an exclusive flock on a folder for as long as this process lives: flock(1) locks the open file
 * that the two processes share.
 *
 * @returns whether it was free
 */
export function takeLock(path: string): boolean {
  const fd = openSync(path, "r");
  const { status } = spawnSync("flock", ["-xn", "3"], {
    stdio: ["ignore", "ignore", "ignore", fd],
  });
  return status === 0;
}
