import { describe } from "vitest";
import { whyNoTestHosts } from "../hosts/test-hosts.ts";
import { isRequiredEngine } from "./required-engines.ts";

/** `describe` for tests on hosts of `test/hosts/`; where there can be none they are skipped, or fail where the run requires them. */
export function describeWithTestHosts(title: string, body: () => void): void {
  const reason = whyNoTestHosts();
  if (reason === undefined || isRequiredEngine("test-hosts")) describe(title, body);
  else describe.skip(`${title} (skipped: ${reason})`, body);
}
