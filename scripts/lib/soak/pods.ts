/** Pods of a soak: some of each kind, so that all that an engine makes is made and taken away. */
const KINDS: readonly ((number: number) => object)[] = [
  (number) => ({
    network: { mode: "bridge", name: number % 2 === 0 ? "front" : "back" },
    ports: [{ host: 20_000 + number, container: 8080 }],
  }),
  (number) => ({
    volumes: { data: { kind: "named", name: `data-${number}` }, scratch: { kind: "tmpfs" } },
  }),
  () => ({}),
];
const run = { command: ["sleep", "100000"], stopSignal: "SIGKILL" };

/**
 * A pod in one of its forms; form 0 is the one in which everything is measured.
 *
 * @returns undefined where it is not declared in that form
 */
export function podOf(number: number, form: number): object | undefined {
  if (form % 4 === 3) return undefined;
  const kind = KINDS[number % KINDS.length]?.(number) ?? {};
  const hasVolumes = "volumes" in kind;
  const main = {
    ...run,
    image: form % 4 === 2 ? "app:2" : "app:1",
    env: { FORM: String(form - (form % 4)), TOKEN: { secret: { fromEnv: "SOAK_TOKEN" } } },
    resources: { pidsMax: 64 + form },
    files: {
      "/etc/soak.conf": { content: `pod ${number}` },
      "/run/token": { secret: { fromEnv: "SOAK_TOKEN" } },
    },
    ...(hasVolumes
      ? {
          mounts: [
            { volume: "data", path: "/data" },
            { volume: "scratch", path: "/scratch" },
          ],
        }
      : {}),
  };
  const side = number % 5 === 4 ? { side: { ...run, image: "app:2" } } : {};
  return {
    ...kind,
    containers: { main, ...side },
  };
}
