/** Engines that tests need of the machine; the simulated one needs nothing. */
export type RealEngine = "containerd" | "podman";

/** What the set-up tells the tests of one engine, by `inject("engines")`. */
export type EngineProvision =
  | {
      readonly status: "ready";
      /** Absolute path of its socket, or of its program where it has none. */
      readonly address: string;
    }
  | { readonly status: "missing"; readonly reason: string };

declare module "vitest" {
  interface ProvidedContext {
    engines: Readonly<Record<RealEngine, EngineProvision>>;
  }
}
