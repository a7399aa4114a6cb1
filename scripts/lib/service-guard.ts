import { rmSync, writeFileSync } from "node:fs";

/** Asked by Debian's maintainer scripts before they start a service; 101 means "do not". */
const POLICY_FILE = "/usr/sbin/policy-rc.d";

/**
 * Runs `action` while no package may start a service.
 *
 * A policy that the machine already has stays as it is. Ours is removed afterwards, also on failure
 * and on Ctrl-C.
 */
export async function withoutServiceStarts<T>(action: () => Promise<T>): Promise<T> {
  if (!writePolicy()) return action();
  const remove = () => rmSync(POLICY_FILE, { force: true });
  // while a listener is there the signal does not end this process: the package manager, which gets it too, does
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const ignore = () => undefined;
  for (const signal of signals) process.on(signal, ignore);
  process.on("exit", remove);
  try {
    return await action();
  } finally {
    remove();
    process.off("exit", remove);
    for (const signal of signals) process.off(signal, ignore);
  }
}

function writePolicy(): boolean {
  try {
    writeFileSync(POLICY_FILE, "#!/bin/sh\nexit 101\n", { flag: "wx", mode: 0o755 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
