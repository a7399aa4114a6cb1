import { createHash } from "node:crypto";

const SOCKETS = "/run/containerd/s";

/**
 * Where a shim listens: named by a digest of the daemon's socket, the namespace and the container. One that was
 * killed leaves it, and no call of the daemon takes it away. Many declare the daemon's below /var/run.
 */
export function shimSockets(socketPath: string, namespace: string, id: string): readonly string[] {
  const plain = socketPath.replace(/^\/var\/run\//, "/run/");
  const names = new Set([plain, plain.replace(/^\/run\//, "/var/run/")]);
  return [...names].map((name) => {
    const digest = createHash("sha256").update(`${name}/${namespace}/${id}`);
    return `${SOCKETS}/${digest.digest("hex")}`;
  });
}
