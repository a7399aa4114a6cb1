import { join } from "node:path";
import { openLocalHost, openSshHost } from "../../src/host/index.ts";

const SSH_TO_ITSELF = join(import.meta.dirname, "ssh-to-itself.sh");

/** Every kind of host. The second one is reached as by ssh, with a shell of this machine at the other end. */
export const HOST_KINDS = {
  local: () => openLocalHost(),
  ssh: () => openSshHost("ssh://here", { program: SSH_TO_ITSELF }),
} as const;
