import { afterEach, describe, expect, test, vi } from "vitest";
import { openSim, SimMachine } from "../../engines/sim/index.ts";
import { StowageError } from "../../errors/index.ts";
import type { Host } from "../../host/index.ts";
import { fencedSignal } from "./fenced-signal.ts";
import type { HostLock } from "./held-lock.ts";
import { ownProcess } from "./holder-process.ts";
import { type AcquireLockRequest, acquireHostLock, breakHostLock } from "./host-lock.ts";

const LOCK_DIR = "/run/stowage/lock";
const LIFE_MS = 30_000;

function hostOf(machine: SimMachine): Host {
  return openSim({ kind: "sim" }, "alpha", { machine }).host;
}

function requestFor(
  machine: SimMachine,
  more: Partial<AcquireLockRequest> = {},
): AcquireLockRequest {
  return {
    host: hostOf(machine),
    name: "alpha",
    lockDir: LOCK_DIR,
    owner: "ann@desk (pid 7)",
    timeoutMs: 0,
    session: new Map(),
    ...more,
  };
}

function lockFiles(machine: SimMachine): readonly string[] {
  return machine.read((state) =>
    Object.keys(state.files).filter((path) => path.startsWith(LOCK_DIR)),
  );
}

/** One that is gone without having given its lock back. */
async function killedHolder(machine: SimMachine): Promise<void> {
  const gone = { ...ownProcess(), startTicks: "1" };
  const { monotonicMs, bootId } = await hostOf(machine).snapshot({});
  const file = {
    number: 1,
    nonce: "killed",
    owner: "bob@lap (pid 8)",
    since: "2026-08-01T09:00:00.000Z",
    expiresAtMonotonicMs: monotonicMs + LIFE_MS,
    bootId,
    process: gone,
  };
  await hostOf(machine).createFile(`${LOCK_DIR}/1.json`, JSON.stringify(file));
}

afterEach(() => {
  vi.useRealTimers();
});

describe("acquireHostLock()", () => {
  test("refuses a second holder and names the first", async () => {
    const machine = new SimMachine();
    await using _ = await acquireHostLock(requestFor(machine));
    await expect(acquireHostLock(requestFor(machine, { owner: "bob@lap" }))).rejects.toThrow(
      /^Cannot lock host "alpha": ann@desk \(pid 7\) since \d{4}-.* holds its lock/,
    );
  });

  test("gives the next number after a release, and keeps one file", async () => {
    const machine = new SimMachine();
    const first = await acquireHostLock(requestFor(machine));
    await first[Symbol.asyncDispose]();
    const second = await acquireHostLock(requestFor(machine));
    expect([first.number, second.number]).toEqual([1, 2]);
    expect(lockFiles(machine)).toEqual([`${LOCK_DIR}/2.json`]);
    await second[Symbol.asyncDispose]();
    expect(lockFiles(machine)).toEqual([`${LOCK_DIR}/2.json`]);
  });

  test("tries again where a quicker one swept away what its number was being made of", async () => {
    const effect = new StowageError("Cannot create a file: it is gone", { code: "not_found" });
    const faults = [{ call: "host.createFile", nth: 1, phase: "before", effect }] as const;
    const { host } = openSim({ kind: "sim" }, "alpha", { machine: new SimMachine(), faults });
    await using lock = await acquireHostLock({ ...requestFor(new SimMachine()), host });
    expect(lock.number).toBe(1);
  });

  test("waits for a holder that gives it back in time", async () => {
    const machine = new SimMachine();
    const first = await acquireHostLock(requestFor(machine));
    const waits: string[] = [];
    const second = acquireHostLock(
      requestFor(machine, { timeoutMs: 5000, onWait: (holder) => waits.push(holder) }),
    );
    await vi.waitFor(() => expect(waits).toHaveLength(1));
    await first[Symbol.asyncDispose]();
    await using lock = await second;
    expect(lock.number).toBe(2);
  });

  test("says nothing of waiting where it does not wait", async () => {
    const machine = new SimMachine();
    await using _first = await acquireHostLock(requestFor(machine));
    const onWait = vi.fn();
    await expect(acquireHostLock(requestFor(machine, { onWait }))).rejects.toThrow(
      /ann@desk .* holds its lock/,
    );
    expect(onWait).not.toHaveBeenCalled();
  });

  test("a directory that does not keep what is written there is refused, not tried for ever", async () => {
    const machine = new SimMachine();
    const host = hostOf(machine);
    const blind = { ...(await host.snapshot({})), entries: new Map() };
    vi.spyOn(host, "snapshot").mockResolvedValue(blind);
    await expect(acquireHostLock(requestFor(machine, { host }))).rejects.toThrow(
      `Cannot lock host "alpha": what is written to ${LOCK_DIR} is not what is read back`,
    );
  });

  test("takes over when the holder's time has run out by the host's clock, and the holder finds out", async () => {
    const machine = new SimMachine();
    const first = await acquireHostLock(requestFor(machine));
    await machine.advance(LIFE_MS + 1);
    await using second = await acquireHostLock(requestFor(machine, { owner: "bob@lap" }));
    expect(second.number).toBe(2);
    await expect(first.check()).rejects.toThrow(/lost the lock to bob@lap since/);
    expect(first.signal.aborted).toBe(true);
    await first[Symbol.asyncDispose]();
    expect(lockFiles(machine)).toEqual([`${LOCK_DIR}/2.json`]);
    await second.check();
  });

  test("a holder that slept past its time is lost by its own clock alone, without asking anybody", async () => {
    const machine = new SimMachine();
    let nowMs = 1000;
    const lock = await acquireHostLock(requestFor(machine, { now: () => nowMs }));
    const signal = fencedSignal(lock, []);
    expect(signal.aborted).toBe(false);
    nowMs += LIFE_MS;
    const reads = machine.counters.reads;
    expect(() => signal.throwIfAborted()).toThrow("lost the lock");
    expect(machine.counters.reads).toBe(reads);
    await expect(lock.check()).rejects.toMatchObject({ code: "aborted" });
  });

  test("is renewed for as long as it is held", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const machine = new SimMachine();
    let nowMs = 0;
    const lock = await acquireHostLock(requestFor(machine, { now: () => nowMs }));
    for (let third = 0; third < 9; third += 1) {
      nowMs += LIFE_MS / 3;
      await machine.advance(LIFE_MS / 3);
      await vi.advanceTimersByTimeAsync(LIFE_MS / 3);
    }
    await lock.check();
    expect(lock.number).toBe(1);
    await expect(acquireHostLock(requestFor(machine))).rejects.toMatchObject({ code: "aborted" });
  });

  test("is renewed while what a killed holder began is waited for", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const machine = new SimMachine();
    await killedHolder(machine);
    let nowMs = 0;
    const host = hostOf(machine);
    vi.spyOn(host, "endPrograms").mockImplementation(async () => {
      for (let third = 0; third < 4; third += 1) {
        nowMs += LIFE_MS / 3;
        await machine.advance(LIFE_MS / 3);
        await vi.advanceTimersByTimeAsync(LIFE_MS / 3);
      }
      return [];
    });
    await using lock = await acquireHostLock(requestFor(machine, { host, now: () => nowMs }));
    await lock.check();
    expect(lock.signal.aborted).toBe(false);
  });

  test("is not kept when what a killed holder began cannot be ended, and the next one looks again", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const machine = new SimMachine();
    await killedHolder(machine);
    const host = hostOf(machine);
    const ending = vi.spyOn(host, "endPrograms").mockResolvedValue(["77 tar"]);
    const acquiring = () => acquireHostLock(requestFor(machine, { host }));
    await expect(acquiring()).rejects.toThrow("77 tar of a killed run cannot be ended");
    await vi.advanceTimersByTimeAsync(LIFE_MS);
    await expect(acquiring()).rejects.toThrow("cannot be ended");
    expect(ending).toHaveBeenCalledTimes(2);
    ending.mockResolvedValue([]);
    await using lock = await acquiring();
    await lock.check();
  });

  test("another name of the machine waits as well until a killed holder's programs have ended", async () => {
    const machine = new SimMachine();
    await killedHolder(machine);
    const session: AcquireLockRequest["session"] = new Map();
    const host = hostOf(machine);
    const order: string[] = [];
    let second: Promise<unknown> | undefined;
    vi.spyOn(host, "endPrograms").mockImplementation(async () => {
      second = acquireHostLock(requestFor(machine, { session, name: "beta" })).then((lock) => {
        order.push("second");
        return lock;
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push("ended");
      return [];
    });
    await using _ = await acquireHostLock(requestFor(machine, { session, host }));
    await using __ = (await second) as AsyncDisposable;
    expect(order).toEqual(["ended", "second"]);
  });

  test("another name of the machine takes the lock anew when the first has to give it up", async () => {
    const machine = new SimMachine();
    await killedHolder(machine);
    const session: AcquireLockRequest["session"] = new Map();
    const host = hostOf(machine);
    let second: Promise<AsyncDisposable> | undefined;
    vi.spyOn(host, "endPrograms").mockImplementation(async () => {
      second = acquireHostLock(requestFor(machine, { session, name: "beta" }));
      await new Promise((resolve) => setTimeout(resolve, 20));
      return ["77 tar"];
    });
    const first = acquireHostLock(requestFor(machine, { session, host }));
    await expect(first).rejects.toThrow("cannot be ended");
    await using lock = (await second) as HostLock;
    expect(lock.number).toBe(2);
    await lock.check();
  });

  test("a host that was started anew has no holder", async () => {
    const machine = new SimMachine();
    const first = await acquireHostLock(requestFor(machine));
    await machine.reboot();
    await using second = await acquireHostLock(requestFor(machine, { owner: "bob@lap" }));
    expect(second.number).toBe(1);
    await second.check();
    await expect(first.check()).rejects.toThrow("lost the lock to bob@lap");
  });

  test("only one of many that ask at once gets it", async () => {
    const machine = new SimMachine();
    const asked = await Promise.allSettled(
      Array.from({ length: 10 }, () => acquireHostLock(requestFor(machine))),
    );
    expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("two names of one machine share it within a run, until both have given it back", async () => {
    const machine = new SimMachine();
    const session: AcquireLockRequest["session"] = new Map();
    const first = await acquireHostLock(requestFor(machine, { session }));
    const second = await acquireHostLock(requestFor(machine, { session, name: "beta" }));
    await first[Symbol.asyncDispose]();
    await second.check();
    await expect(acquireHostLock(requestFor(machine))).rejects.toMatchObject({ code: "aborted" });
    await second[Symbol.asyncDispose]();
    await using third = await acquireHostLock(requestFor(machine));
    expect(third.number).toBe(2);
  });

  test("a file that cannot be read counts as held", async () => {
    const machine = new SimMachine();
    await machine.setFile(`${LOCK_DIR}/4.json`, { text: "{" });
    await expect(acquireHostLock(requestFor(machine))).rejects.toThrow(
      "whose lock file cannot be read",
    );
  });

  test("sweeps what a killed process left of making a number", async () => {
    const machine = new SimMachine();
    await machine.setFile(`${LOCK_DIR}/.1.json.77-abcd.tmp`, { text: "" });
    await using _ = await acquireHostLock(requestFor(machine));
    expect(lockFiles(machine)).toEqual([`${LOCK_DIR}/1.json`]);
  });
});

describe("breakHostLock()", () => {
  test("ends a lock and says whose it was; its holder writes nothing more", async () => {
    const machine = new SimMachine();
    const lock = await acquireHostLock(requestFor(machine));
    const request = { host: hostOf(machine), lockDir: LOCK_DIR, owner: "bob@lap" };
    expect(await breakHostLock(request)).toMatch(/^ann@desk/);
    await expect(lock.check()).rejects.toThrow("lost the lock to bob@lap");
    expect(await breakHostLock(request)).toBeUndefined();
    await using next = await acquireHostLock(requestFor(machine));
    expect(next.number).toBe(3);
  });
});
