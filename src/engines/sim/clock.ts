import type { MachineState } from "./machine-state.ts";

const VIRTUAL_EPOCH_MS = Date.UTC(2026, 0, 1);

/** The machine's monotonic clock, ms: the same in every process, as the real one is. */
export function monotonicMs(state: MachineState): number {
  const { offsetMs, virtualMs } = state.clock;
  return virtualMs ?? realMs() + offsetMs;
}

/** The wall clock at a moment of the monotonic one, as ISO 8601. */
export function wallTime(state: MachineState, atMs: number): string {
  const { virtualMs } = state.clock;
  const wallMs =
    virtualMs === undefined ? Date.now() - (monotonicMs(state) - atMs) : VIRTUAL_EPOCH_MS + atMs;
  return new Date(wallMs).toISOString();
}

/** Moves the machine's clock forward. */
export function advanceClock(state: MachineState, byMs: number): void {
  if (state.clock.virtualMs === undefined) state.clock.offsetMs += byMs;
  else state.clock.virtualMs += byMs;
}

/** Lets the machine's clock start again, as a boot does. */
export function resetClock(state: MachineState): void {
  if (state.clock.virtualMs === undefined) state.clock.offsetMs = -realMs();
  else state.clock.virtualMs = 0;
}

function realMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
