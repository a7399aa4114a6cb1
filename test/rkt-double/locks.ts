import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, readlinkSync, statSync } from "node:fs";

/** The kernel's number of the first pid namespace: only there /proc/locks shows every lock. */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";

function seesEveryLock(): boolean {
  return readlinkSync("/proc/self/ns/pid") === FIRST_PID_NAMESPACE;
}

/** Tells which folders are under an exclusive flock, by the kernel's list where that is whole. */
export function lockReader(): (path: string) => boolean {
  if (!seesEveryLock()) {
    return isLocked;
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

/** Asks for the lock: of an open folder, as flock(1) makes a file where there is none any more. */
function isLocked(path: string): boolean {
  const fd = openSync(path, "r");
  const stdio = ["ignore", "ignore", "ignore", fd] as const;
  const { status } = spawnSync("flock", ["-sn", "3"], { stdio: [...stdio] });
  closeSync(fd);
  return status === 1;
}

/**
 * Takes an exclusive flock on a folder for as long as this process lives: flock(1) locks the open file
 * that the two processes share.
 *
 * @returns whether it was free
 */
export function takeLock(path: string): boolean {
  const fd = openSync(path, "r");
  // where there is no list, a look at the lock may be what holds it
  const patience = seesEveryLock() ? ["-xn", "3"] : ["-xw", "1", "3"];
  const { status } = spawnSync("flock", patience, {
    stdio: ["ignore", "ignore", "ignore", fd],
  });
  return status === 0;
}
