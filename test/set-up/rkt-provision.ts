/** What the set-up tells the tests, by `inject("rkt")`. */
export type RktProvision =
  | {
      readonly status: "ready";
      /** rkt 1.30, or the double of it. */
      readonly program: string;
      readonly isDouble: boolean;
    }
  | { readonly status: "missing"; readonly reason: string };

declare module "vitest" {
  interface ProvidedContext {
    rkt: RktProvision;
  }
}
