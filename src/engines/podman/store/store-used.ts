import type { HostReader } from "../../../host/index.ts";

/** Databases that podman makes with its first use of a store: that of 4.3, and that of 5. */
const DATABASES = ["libpod/bolt_state.db", "db.sql"];

/** Whether podman has ever been used with a store; asking podman itself would make one. */
export async function storeUsed(
  host: HostReader,
  graphRoot: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const exist = DATABASES.map((name) => `${graphRoot}/${name}`);
  const { existing } = await host.snapshot({ exist }, signal === undefined ? {} : { signal });
  return existing.size > 0;
}
