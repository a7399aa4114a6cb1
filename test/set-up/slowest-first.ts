import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take longest, longest first: begun last, one of them would run alone at the end. */
const SLOWEST = [
  "conformance/podman",
  "integration/apply-killed-inside",
  "integration/apply-killed-at-calls",
  "integration/podman-crashes",
  "integration/rkt-double-replay",
  "integration/must-hold-containerd.test",
  "integration/move-killed-at-calls",
  "integration/ssh-many-hosts",
  "integration/ssh-images",
  "e2e/engines",
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
