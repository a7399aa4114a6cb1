import { mkdtempSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { type Handler, nullResource } from "./null-resource.ts";

// a stand-in for hashicorp/null over plugin protocol 6, for where the real one cannot be had; it
// speaks without TLS, so that terraform has to run with TF_DISABLE_PLUGIN_TLS=1

interface Call {
  readonly request: Buffer;
}

const raw = (bytes: Buffer): Buffer => bytes;

function addService(server: Server, service: string, handlers: Readonly<Record<string, Handler>>) {
  const definition: ServiceDefinition = Object.fromEntries(
    Object.keys(handlers).map((method) => [
      method,
      {
        path: `/${service}/${method}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: raw,
        requestDeserialize: raw,
        responseSerialize: raw,
        responseDeserialize: raw,
      },
    ]),
  );
  server.addService(
    definition,
    Object.fromEntries(
      Object.entries(handlers).map(([method, handle]) => [
        method,
        ({ request }: Call, answer: sendUnaryData<Buffer>) => answer(null, handle(request)),
      ]),
    ),
  );
}

const server = new Server();
addService(server, "tfplugin6.Provider", nullResource);
addService(server, "plugin.GRPCController", {
  Shutdown() {
    setImmediate(() => process.exit(0));
    return Buffer.alloc(0);
  },
});

const socket = join(mkdtempSync(join(tmpdir(), "stw-null-")), "s");
server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  writeSync(1, `1|6|unix|${socket}|grpc|\n`);
});
// terraform's own interrupt reaches the whole process group; it asks with StopProvider instead
process.on("SIGINT", () => {});
