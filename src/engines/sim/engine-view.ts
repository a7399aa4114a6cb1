import type { MachineState, SimPod, SimStore } from "./machine-state.ts";

const OWN: ReadonlySet<PropertyKey> = new Set([
  "pods",
  "images",
  "bytes",
  "leftovers",
  "uninstalled",
] satisfies (keyof SimStore)[]);

const machines = new WeakMap<MachineState, MachineState>();

/**
 * The machine as one of its engines sees it: pods, images and leftovers are those of its store, all
 * else is the machine's. Looking makes no store; it is there once something is changed through the view.
 *
 * @param store undefined: the machine's first engine
 */
export function engineView(
  state: MachineState,
  store: string | undefined,
  access: "read" | "write",
): MachineState {
  if (store === undefined) return state;
  const held = state.stores?.[store] ?? { pods: {}, images: {}, leftovers: {} };
  if (access === "write") {
    state.stores ??= {};
    state.stores[store] = held;
  }
  const view = new Proxy(state, {
    get: (machine, key) => Reflect.get(OWN.has(key) ? held : machine, key),
    set: (machine, key, value) => Reflect.set(OWN.has(key) ? held : machine, key, value),
    deleteProperty: (machine, key) => Reflect.deleteProperty(OWN.has(key) ? held : machine, key),
  });
  machines.set(view, state);
  return view;
}

/** The pods of all engines of a machine, whatever the engine that asks. */
export function podsOfMachine(state: MachineState): readonly SimPod[] {
  const machine = machines.get(state) ?? state;
  const first = Object.values(machine.pods);
  if (machine.stores === undefined) return first;
  return [...first, ...Object.values(machine.stores).flatMap(({ pods }) => Object.values(pods))];
}

/** The engine of a machine that holds a generation, by its object name; the first one where none does. */
export function viewHolding(state: MachineState, key: string): MachineState {
  const [store] =
    Object.entries(state.stores ?? {}).find(([, { pods }]) => pods[key] !== undefined) ?? [];
  return state.pods[key] === undefined ? engineView(state, store, "read") : state;
}
