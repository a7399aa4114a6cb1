import type { CommandResult, Host, HostSnapshot } from "../../../src/host/index.ts";

/** A host that answers each command with what is given, and remembers what was run. */
export function answeringHost(
  answer: (command: readonly string[]) => CommandResult,
  existing: readonly string[] = [],
): { readonly host: Host; readonly commands: (readonly string[])[] } {
  const commands: (readonly string[])[] = [];
  const snapshot: HostSnapshot = {
    files: new Map(),
    existing: new Set(),
    dangling: new Set(),
    entries: new Map(),
    contents: new Map(),
    user: { uid: 0, gid: 0 },
    listening: [],
    programs: new Map(),
    space: new Map(),
    monotonicMs: 0,
    bootId: "boot",
  };
  const host: Partial<Host> = {
    snapshot: async ({ exist = [] }) => ({
      ...snapshot,
      existing: new Set(exist.filter((path) => existing.includes(path))),
    }),
    run: async (command) => {
      commands.push(command);
      return answer(command);
    },
  };
  return { host: host as Host, commands };
}

/** A real host whose commands are remembered. */
export function recordingHost(host: Host): {
  readonly host: Host;
  readonly commands: (readonly string[])[];
} {
  const commands: (readonly string[])[] = [];
  const recording = new Proxy(host, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: readonly unknown[]): unknown => {
        if (key === "run") commands.push(args[0] as readonly string[]);
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { host: recording, commands };
}
