import type { Attribute } from "./attributes.ts";
import type { PodSpec } from "./pod.ts";

const NESTED = "containers.*.mounts[*].nested";
const RAISABLE = "containers.*.ulimits.nofile.raisable";
/** Field paths of {@link impliedAttributes}. */
export const IMPLIED_FIELDS: readonly string[] = [NESTED, RAISABLE];

/** An attribute that several fields make together. */
export type ImpliedAttribute = Pick<Attribute, "path" | "fieldPath" | "value">;

/**
 * What fields of a pod ask for together, as attributes of fields that no schema has. An engine's table says of them
 * what it cannot do; where it says nothing, the field above them counts.
 *
 *     containers.*.mounts[*].nested          it lies within another mount
 *     containers.*.ulimits.nofile.raisable   the process may raise its limit: the soft one is below the hard one
 */
export function* impliedAttributes({ containers }: PodSpec): Generator<ImpliedAttribute> {
  for (const [name, { mounts = [], ulimits }] of Object.entries(containers)) {
    const place = `containers.${name}`;
    for (const { path } of mounts) {
      if (!mounts.some((other) => path.startsWith(`${other.path}/`))) continue;
      yield {
        path: `${place}.mounts[${path}].path`,
        fieldPath: NESTED,
        value: true,
      };
    }
    const { nofile } = ulimits ?? {};
    if (nofile === undefined || nofile.soft === nofile.hard) continue;
    yield {
      path: `${place}.ulimits.nofile.soft`,
      fieldPath: RAISABLE,
      value: true,
    };
  }
}
