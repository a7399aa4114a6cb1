import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take longest, longest first: begun last, one of them would run alone at the end. */
const SLOWEST = [
  "conformance/podman",
  "integration/apply-killed-inside",
  "integration/apply-killed-at-calls",
  "integration/ssh-jump-hosts",
  "integration/watch.test",
  "integration/fault-table",
  "integration/ssh-many-hosts",
  "conformance/rkt",
  "integration/must-hold-containerd.test",
  "e2e/engines",
  "property/apply-survives-kill",
  "integration/move-killed-at-calls",
  "integration/ssh-fleet",
  "conformance/containerd",
  "integration/podman-crashes",
  "integration/ssh-images",
  "integration/rkt-double-replay",
  "integration/containerd-images",
  "property/",
  "conformance/",
  "integration/",
  "e2e/",
];

/** Within a group of projects, all files by how long they take, whichever project they are of. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ project, moduleId }: TestSpecification): number => {
      const found = SLOWEST.findIndex((part) => moduleId.includes(`/test/${part}`));
      const place = found < 0 ? SLOWEST.length : found;
      return project.config.sequence.groupOrder * 100 + place;
    };
    const sorted = await super.sort(files);
    return sorted.sort((one, other) => rank(one) - rank(other));
  }
}
