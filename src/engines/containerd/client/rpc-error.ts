import { type ErrorCode, StowageError } from "../../../errors/index.ts";

/** Where a call went wrong. */
export interface RpcErrorPlace {
  /** `package.Service/Method`. */
  readonly rpc: string;
  readonly doing: string;
  readonly socketPath: string;
  readonly namespace: string;
}

/** Numbers of gRPC's status codes, by the protocol. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  1: "canceled",
  3: "invalid_argument",
  4: "deadline_exceeded",
  5: "not_found",
  6: "already_exists",
  7: "permission_denied",
  8: "resource_exhausted",
  9: "failed_precondition",
  10: "aborted",
  11: "failed_precondition",
  12: "unimplemented",
  14: "unavailable",
  16: "unauthenticated",
};
const UNKNOWN = 2;
const UNAVAILABLE = 14;

/** What daemons append to a message to repeat its code in words; 2.x leaves some of them out. */
const CODE_SUFFIXES: Readonly<Record<number, string>> = {
  2: ": unknown",
  3: ": invalid argument",
  5: ": not found",
  6: ": already exists",
  9: ": failed precondition",
  12: ": not implemented",
  14: ": unavailable",
};

interface TextRule {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly remedy?: string;
}

/** Most failures of a runtime arrive as UNKNOWN with a text: the text decides. First match wins. */
const TEXT_RULES: readonly TextRule[] = [
  { pattern: /^cannot start a running process\b/, code: "failed_precondition" },
  {
    pattern: /^failed to delete task: cannot delete a running process\b/,
    code: "failed_precondition",
  },
  { pattern: /^cannot exec in a (?:stopped|deleted) state\b/, code: "failed_precondition" },
  {
    pattern:
      /^cannot (?:start|delete|kill|pause|resume|update) (?:a|in a) \w+ (?:process|state|container)\b/,
    code: "failed_precondition",
  },
  { pattern: /(?:^|: )context deadline exceeded$/, code: "deadline_exceeded" },
  {
    pattern: /(?:^|: )ttrpc: closed$/,
    code: "aborted",
    remedy: "its shim died; check the container and start it again",
  },
  {
    pattern: /^failed to start shim: .*mkdir \S+: file exists$/,
    code: "failed_precondition",
    remedy: "an interrupted create left its folder behind; use another container id",
  },
  { pattern: /^failed to start shim: /, code: "failed_precondition" },
  { pattern: /^failed to create shim task: /, code: "failed_precondition" },
  { pattern: /^OCI runtime \w+ failed: /, code: "failed_precondition" },
  { pattern: /^unable to set memory limit to /, code: "failed_precondition" },
  { pattern: /^failed to get stream processor for /, code: "unimplemented" },
  {
    pattern: /(?:^|: )no space left on device$/,
    code: "resource_exhausted",
    remedy: "free space on the host's disk",
  },
  {
    pattern:
      /(?:^|: )(?:input\/output error|read-only file system|permission denied|operation not permitted|too many open files|cannot allocate memory)$/,
    code: "internal",
    remedy: "check the host",
  },
];

const APPLY = "containerd.services.diff.v1.Diff/Apply";
/** What unpacking says beside the rules comes from many a decompressor, and is about the layer. */
const DAMAGED_LAYER: TextRule = {
  pattern: /^/,
  code: "invalid_argument",
  remedy: "the layer is damaged; build or copy the image again",
};

/** Whether another client is writing the same ingest, which only waiting fixes. */
export function isLockedRef(error: unknown): boolean {
  return StowageError.is(error, "aborted") && error.context["locked"] === true;
}

/** Whether an uploaded blob turned out to have another digest or size than was promised. */
export function isBadCommit(error: unknown): boolean {
  return (
    StowageError.is(error, "failed_precondition") &&
    /(?:^|[: ])(?:unexpected commit (?:digest|size) |"[^"]*" failed size validation)/.test(
      stateOf(error),
    )
  );
}

/** Whether an upload does not continue where the ingest ends. */
export function isWrongOffset(error: unknown): boolean {
  return StowageError.is(error, "failed_precondition") && error.context["grpc"] === 11;
}

/**
 * The one place where the daemon's failures become ours.
 *
 * `details` are what the daemon or the transport said; a suffix that only repeats the code is cut off,
 * so that all versions of containerd read alike.
 */
export function toStowageError(cause: unknown, place: RpcErrorPlace): StowageError {
  const { code, details } = grpcParts(cause);
  const suffix = CODE_SUFFIXES[code] ?? "";
  const state = details.endsWith(suffix)
    ? details.slice(0, details.length - suffix.length)
    : details;
  const context = {
    rpc: place.rpc,
    namespace: place.namespace,
    socket: place.socketPath,
    grpc: code,
  };
  const fail = (kind: ErrorCode, remedy?: string, retryable?: boolean, extra = {}): StowageError =>
    new StowageError(
      `Cannot ${place.doing}: ${state}${remedy === undefined ? "" : `; ${remedy}`}`,
      {
        code: kind,
        cause,
        context: { ...context, ...extra, state },
        ...(retryable === undefined ? {} : { retryable }),
      },
    );

  if (code === UNAVAILABLE) {
    if (/^ref .* locked for /.test(state)) {
      return fail("aborted", "another client is writing it; try again", true, { locked: true });
    }
    return unreachable(cause, state, place);
  }
  if (code === UNKNOWN) {
    const rules = place.rpc === APPLY ? [...TEXT_RULES, DAMAGED_LAYER] : TEXT_RULES;
    const rule = rules.find(({ pattern }) => pattern.test(state));
    return fail(rule?.code ?? "internal", rule?.remedy);
  }
  if (code === 4)
    return fail("deadline_exceeded", "check whether containerd or the container's shim hangs");
  return fail(CODES[code] ?? "internal");
}

function unreachable(cause: unknown, state: string, place: RpcErrorPlace): StowageError {
  const [code, why] = /\bEACCES\b|\bEPERM\b/.test(state)
    ? ([
        "permission_denied",
        "permission denied; run as root or as a member of the socket's group",
      ] as const)
    : /\bENOENT\b/.test(state)
      ? ([
          "unavailable",
          "there is no such socket; start containerd or correct the address of the engine",
        ] as const)
      : /\bECONNREFUSED\b/.test(state)
        ? (["unavailable", "nothing listens there; start containerd"] as const)
        : ([
            "unavailable",
            `${state}; check that its host can be reached and containerd runs`,
          ] as const);
  return new StowageError(
    `Cannot ${place.doing}: containerd at "${place.socketPath}" is not reachable: ${why}`,
    {
      code,
      cause,
      context: {
        rpc: place.rpc,
        namespace: place.namespace,
        socket: place.socketPath,
        grpc: UNAVAILABLE,
        state,
      },
    },
  );
}

function grpcParts(cause: unknown): { code: number; details: string } {
  if (typeof cause !== "object" || cause === null) return { code: 13, details: String(cause) };
  const code = "code" in cause && typeof cause.code === "number" ? cause.code : 13;
  if ("details" in cause && typeof cause.details === "string" && cause.details !== "") {
    return { code, details: cause.details };
  }
  return { code, details: cause instanceof Error ? cause.message : `status ${code}` };
}

function stateOf(error: StowageError): string {
  const state = error.context["state"];
  return typeof state === "string" ? state : "";
}
