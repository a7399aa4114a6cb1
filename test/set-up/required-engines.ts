/** Engines whose absence fails the tests instead of skipping them: `STOWAGE_REQUIRE_ENGINES=containerd,podman`. */
export function isRequiredEngine(kind: string, env: NodeJS.ProcessEnv = process.env): boolean {
  const kinds = (env["STOWAGE_REQUIRE_ENGINES"] ?? "").split(",").map((name) => name.trim());
  return kinds.includes(kind);
}
