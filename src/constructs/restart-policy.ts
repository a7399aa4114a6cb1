import type { RestartPolicy as RestartPolicySpec } from "../model/index.ts";
import { compact } from "./compact.ts";

/** What happens when a process of a pod ends by itself. */
export class RestartPolicy {
  readonly #spec: RestartPolicySpec;

  private constructor(spec: RestartPolicySpec) {
    this.#spec = spec;
  }

  static never(): RestartPolicy {
    return new RestartPolicy({ policy: "no" });
  }

  static always(): RestartPolicy {
    return new RestartPolicy({ policy: "always" });
  }

  /** Starts it again unless it was stopped on purpose. */
  static unlessStopped(): RestartPolicy {
    return new RestartPolicy({ policy: "unless-stopped" });
  }

  /**
   * Starts it again when its exit code is not 0.
   *
   * @param maxRetries Starts at most; without it there is no end.
   */
  static onFailure(maxRetries?: number): RestartPolicy {
    return new RestartPolicy(compact<RestartPolicySpec>({ policy: "on-failure", maxRetries }));
  }

  /** @internal */
  toSpec(): RestartPolicySpec {
    return { ...this.#spec };
  }
}
