import type { Plan } from "../../plan/index.ts";

/** A plan for programs: without the digests of secrets, which are for the hosts' records alone. */
export function planJson(plan: Plan): unknown {
  return {
    ...plan,
    pods: plan.pods.map((change) => ({
      ...change,
      ...(change.to === undefined ? {} : { to: withoutSecrets(change.to) }),
      ...(change.from === undefined ? {} : { from: withoutSecrets(change.from) }),
    })),
  };
}

function withoutSecrets<T extends { readonly secrets?: unknown }>({
  secrets: _,
  ...rest
}: T): Omit<T, "secrets"> {
  return rest;
}
