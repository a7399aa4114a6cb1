import type { Port } from "../model/index.ts";

/** Says several ports at once. */
export const Ports = {
  /**
   * Ports of the host that follow each other, as many in the container.
   *
   * @param more.container first port in the container; else the same
   * @throws Error when the last one comes before the first
   */
  range(
    first: number,
    last: number,
    more: Pick<Port, "container" | "protocol" | "hostIp"> = {},
  ): readonly Port[] {
    if (!(last >= first)) {
      throw new Error(`Cannot make ports ${first} to ${last}: the last comes before the first`);
    }
    const { container = first, ...rest } = more;
    return Array.from({ length: last - first + 1 }, (_, at) => ({
      ...rest,
      host: first + at,
      container: container + at,
    }));
  },
};
