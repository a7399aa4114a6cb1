/** Engines that tests need of the machine; the simulated one needs nothing. */
export type RealEngine = "containerd" | "podman" | "rkt";

/** What the set-up tells the tests of one engine, by `inject("engines")`. */
export type EngineProvision =
  | {
      readonly status: "ready";
      /** Absolute path of its socket, or of its program where it has none. */
      readonly address: string;
      /** Whether it is a double of ours in place of the engine itself. */
      readonly isDouble?: boolean;
    }
  | { readonly status: "missing"; readonly reason: string };

/** An engine for the tests, and how to end it. */
export interface Provided {
  readonly provision: EngineProvision;
  readonly end?: () => Promise<void>;
}

declare module "vitest" {
  interface ProvidedContext {
    engines: Readonly<Record<RealEngine, EngineProvision>>;
  }
}
