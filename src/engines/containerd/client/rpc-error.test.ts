import { expect, test } from "vitest";
import { isBadCommit, isLockedRef, isWrongOffset, toStowageError } from "./rpc-error.ts";

const [UNKNOWN, NOT_FOUND, PRECONDITION, OUT_OF_RANGE, UNAVAILABLE] = [2, 5, 9, 11, 14];

function say(code: number, details: string, rpc = "containerd.services.tasks.v1.Tasks/Start") {
  const cause = Object.assign(new Error(`${code}: ${details}`), { code, details });
  const place = { rpc, doing: 'start task "x"', socketPath: "/run/c.sock", namespace: "n" };
  return toStowageError(cause, place);
}

test.each([
  [UNKNOWN, "cannot start a running process", "failed_precondition"],
  [UNKNOWN, "failed to delete task: cannot delete a running process", "failed_precondition"],
  [UNKNOWN, "cannot exec in a stopped state", "failed_precondition"],
  [UNKNOWN, "ttrpc: closed", "aborted"],
  [UNKNOWN, "context deadline exceeded", "deadline_exceeded"],
  [UNKNOWN, "failed to start shim: start failed: mkdir /s/n/x: file exists", "failed_precondition"],
  [
    UNKNOWN,
    'failed to create shim task: OCI runtime create failed: exec: "/x": permission denied',
    "failed_precondition",
  ],
  [UNKNOWN, 'OCI runtime exec failed: exec failed: exec: "nope": not found', "failed_precondition"],
  [UNKNOWN, "unable to set memory limit to 1000 (current usage: 307200)", "failed_precondition"],
  [UNKNOWN, "write /x: no space left on device", "resource_exhausted"],
  [UNKNOWN, "something never seen", "internal"],
] as const)(
  "code %i with %j is the same failure with and without the daemon's suffix",
  (code, text, expected) => {
    const [old, recent] = [say(code, `${text}: unknown`), say(code, text)];
    expect([old.code, recent.code]).toEqual([expected, expected]);
    expect(old.message).toBe(recent.message);
    expect(old.message).toMatch(/^Cannot start task "x": /);
  },
);

test("a text counts only at its place", () => {
  expect(say(UNKNOWN, "x says: cannot start a running process").code).toBe("internal");
});

test("a locked ingest is not a lost daemon, though gRPC's code is the same", () => {
  const locked = say(UNAVAILABLE, "ref layer-x locked for 430ms (since then): unavailable");
  expect(isLockedRef(locked)).toBe(true);
  expect(locked).toMatchObject({ code: "aborted", retryable: true });
  const lost = say(UNAVAILABLE, "Connection dropped");
  expect(isLockedRef(lost)).toBe(false);
  expect(lost).toMatchObject({ code: "unavailable", retryable: true });
});

test.each([
  [
    "No connection established. Last error: Error: connect ENOENT /run/c.sock",
    "unavailable",
    /no such socket; start containerd/,
  ],
  [
    "No connection established. Last error: Error: connect ECONNREFUSED /run/c.sock",
    "unavailable",
    /nothing listens/,
  ],
  [
    "No connection established. Last error: Error: connect EACCES /run/c.sock",
    "permission_denied",
    /run as root/,
  ],
] as const)("%j names the socket and the remedy", (text, code, remedy) => {
  const error = say(UNAVAILABLE, text);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(remedy);
  expect(error.message).toContain('"/run/c.sock"');
});

test("a bad upload is told from other refusals", () => {
  expect(
    isBadCommit(
      say(
        PRECONDITION,
        "unexpected commit digest sha256:a, expected sha256:b: failed precondition",
      ),
    ),
  ).toBe(true);
  expect(
    isBadCommit(
      say(PRECONDITION, '"r1" failed size validation: 100 != 5242880: failed precondition'),
    ),
  ).toBe(true);
  expect(
    isBadCommit(say(PRECONDITION, "cannot remove snapshot with child: failed precondition")),
  ).toBe(false);
  expect(isWrongOffset(say(OUT_OF_RANGE, "write @5 must occur at current offset 1048576"))).toBe(
    true,
  );
});

test("what unpacking cannot read is the layer's fault, what the host refuses is not", () => {
  const apply = "containerd.services.diff.v1.Diff/Apply";
  expect(say(UNKNOWN, "flate: corrupt input before offset 1", apply).code).toBe("invalid_argument");
  expect(say(UNKNOWN, "write /x: no space left on device: unknown", apply).code).toBe(
    "resource_exhausted",
  );
  expect(say(NOT_FOUND, "content sha256:a: not found", apply).code).toBe("not_found");
});

test("the daemon's own error stays the cause", () => {
  expect(say(NOT_FOUND, "task a1 not found").cause).toMatchObject({ code: NOT_FOUND });
});
