/** Tells what is mounted. */
export const MOUNTS = "/proc/self/mountinfo";

/** Where anything is mounted. */
export function mountedPaths(mountinfo: string | Error | undefined): ReadonlySet<string> {
  if (typeof mountinfo !== "string") return new Set();
  const paths = mountinfo.split("\n").map((line) => line.split(" ")[4] ?? "");
  return new Set(
    paths.map((path) =>
      path.replaceAll(/\\([0-7]{3})/g, (_, code: string) =>
        String.fromCharCode(Number.parseInt(code, 8)),
      ),
    ),
  );
}
