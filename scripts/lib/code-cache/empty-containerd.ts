import { once } from "node:events";
import { createServer } from "node:http2";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { identityLabels } from "../../../src/engine/index.ts";
import { specDigest } from "../../../src/engines/containerd/pods/container-records.ts";
import { LABEL_SPEC } from "../../../src/engines/containerd/pods/pod-labels.ts";
import { ownSpecBytes } from "../../../src/engines/containerd/spec/stored-spec.ts";
import { ListContainersResponseSchema } from "../../../src/gen/containerd/services/containers/v1/containers_pb.ts";
import { ListTasksResponseSchema } from "../../../src/gen/containerd/services/tasks/v1/tasks_pb.ts";
import { VersionResponseSchema } from "../../../src/gen/containerd/services/version/v1/version_pb.ts";
import { Status } from "../../../src/gen/containerd/v1/types/task_pb.ts";
import { objectName, type PodIdentity } from "../../../src/model/index.ts";

/**
 * Listens as a containerd does that has one container, and has nothing to tell of all else.
 *
 * @param identity the pod of the container `main`
 */
export async function serveEmptyContainerd(
  socket: string,
  identity: PodIdentity,
): Promise<AsyncDisposable> {
  const answers = answersOf(identity);
  const server = createServer();
  server.on("session", (session) => session.unref());
  server.on("stream", (stream, headers) => {
    const message = answers[String(headers[":path"])] ?? new Uint8Array();
    // gRPC's frame: not compressed, and the length
    const frame = Buffer.alloc(5 + message.length);
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, 5);
    stream.respond(
      { ":status": 200, "content-type": "application/grpc" },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(frame);
  });
  server.listen(socket);
  await once(server, "listening");
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

function answersOf(identity: PodIdentity): Readonly<Record<string, Uint8Array>> {
  const id = objectName(identity, "main", 76);
  const value = ownSpecBytes({
    ociVersion: "1.0.2",
    process: { user: { uid: 0, gid: 0 }, args: ["sleep", "1"], env: ["PATH=/bin"], cwd: "/" },
    root: { path: "rootfs" },
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
    linux: { namespaces: [{ type: "pid" }], seccomp: { defaultAction: "SCMP_ACT_ERRNO" } },
  });
  const labels = { ...identityLabels(identity, "main"), [LABEL_SPEC]: specDigest(value) };
  const spec = { typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Spec", value };
  const container = { id, labels, spec, snapshotKey: id, snapshotter: "overlayfs" };
  return {
    "/containerd.services.version.v1.Version/Version": message(VersionResponseSchema, {
      version: "1.7.0",
    }),
    "/containerd.services.containers.v1.Containers/List": message(ListContainersResponseSchema, {
      containers: [container],
    }),
    "/containerd.services.tasks.v1.Tasks/List": message(ListTasksResponseSchema, {
      tasks: [{ id, pid: process.pid, status: Status.RUNNING }],
    }),
  };
}

function message<S extends DescMessage>(schema: S, value: MessageInitShape<S>): Uint8Array {
  return toBinary(schema, create(schema, value));
}
