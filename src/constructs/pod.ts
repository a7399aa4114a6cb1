import type { Construct } from "constructs";
import { checkOptions } from "./options.ts";
import { POD_OPTIONS, PodBase, type PodOptions } from "./pod-base.ts";
import { reportMistakes, requireScope } from "./scopes.ts";

/** Properties of {@link Pod}. */
export interface PodProps extends PodOptions {}

/** Containers on one host that share a network and live and die together. */
export class Pod extends PodBase {
  readonly podName: string;

  /** @param scope The host that it belongs on. */
  constructor(scope: Construct, id: string, props: PodProps = {}) {
    super(scope, id, props);
    requireScope(this, "host");
    checkOptions(this, props, POD_OPTIONS);
    this.podName = id;
    reportMistakes(this);
  }
}
