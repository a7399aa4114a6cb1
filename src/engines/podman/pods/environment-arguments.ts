import { StowageError } from "../../../errors/index.ts";

/** How a container's declared environment gets to podman: by no argument that holds a value. */
export interface EnvironmentInput {
  readonly args: readonly string[];
  /** What `--env-file` reads. */
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Values that no line of a file can hold, in podman's own environment while it makes the container. */
  readonly env: Readonly<Record<string, string>>;
}

/** Names by which podman itself, or what it runs, would go: a value for the container must not reach it so. */
const OF_PODMAN =
  /^(?:PATH|HOME|USER|TMPDIR|LD_.*|GO.*|XDG_.*|CONTAINERS?_.*|PODMAN_.*|STORAGE_.*|DBUS_.*|.*_PROXY|.*_proxy|REGISTRY_AUTH_FILE|NOTIFY_SOCKET|LISTEN_.*|TZ)$/;

/**
 * Splits an environment into what a file's lines can hold and what they cannot.
 *
 * @throws StowageError `failed_precondition` for a variable that podman can be given in neither way
 */
export function environmentInput(
  environment: Readonly<Record<string, string>>,
  container: string,
): EnvironmentInput {
  const lines: string[] = [];
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (isLine(name, value)) lines.push(`${name}=${value}\n`);
    else if (OF_PODMAN.test(name) || name.endsWith("*")) throw unfit(name, container);
    else env[name] = value;
  }
  const text = lines.join("");
  return {
    args: [
      ...(text === "" ? [] : ["--env-file", "/dev/stdin"]),
      ...Object.keys(env).flatMap((name) => ["--env", name]),
    ],
    stdin: (async function* () {
      yield Buffer.from(text);
    })(),
    env,
  };
}

/** Lines are read by a scanner with a limit; a name ends at the first blank. */
const MAX_LINE_BYTES = 60_000;

function isLine(name: string, value: string): boolean {
  return (
    !/[\s#*]/.test(name) &&
    !/[\n\r]/.test(value) &&
    Buffer.byteLength(name) + Buffer.byteLength(value) < MAX_LINE_BYTES
  );
}

function unfit(name: string, container: string): StowageError {
  return new StowageError(
    `Cannot prepare container "${container}": podman cannot take the value of environment variable "${name}", which has line breaks or is too long; put it into a file`,
    { code: "failed_precondition", context: { container, variable: name } },
  );
}
