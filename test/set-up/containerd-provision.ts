/** What the set-up tells the tests, by `inject("containerd")`. */
export type ContainerdProvision =
  | {
      readonly status: "ready";
      /** Absolute path of the gRPC socket. */
      readonly address: string;
      /** The daemon's folder; absent when the daemon was given from outside. */
      readonly dir?: string;
    }
  | { readonly status: "missing"; readonly reason: string };

declare module "vitest" {
  interface ProvidedContext {
    containerd: ContainerdProvision;
  }
}
