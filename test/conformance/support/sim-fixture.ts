import { randomUUID } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { openSim, SimMachine } from "../../../src/engines/sim/index.ts";
import { hostDirectories } from "../../../src/model/index.ts";
import type { EngineFixture, OpenedEngine } from "./engine-fixture.ts";
import { simImage } from "./sim-image.ts";

const IMAGES = {
  base: { reference: "docker.io/library/conformance:base", workingDir: "" },
  other: { reference: "docker.io/library/conformance:other", workingDir: "/tmp" },
} as const;

/** The simulated engine as the suite takes it. */
export function simFixture(
  name: string,
  options: { readonly newFile?: () => string; readonly runOnce?: boolean } = {},
): EngineFixture {
  const { newFile, runOnce = false } = options;
  return {
    name,
    features: {
      kernel: false,
      confined: false,
      imageFiles: false,
      keepsLayer: !runOnce,
      readOnlyRoot: true,
      softLimits: true,
      changesUlimits: !runOnce,
      renamesImages: true,
      restarts: !runOnce,
      events: !runOnce,
    },
    open: async () => openSimHost(newFile?.(), runOnce),
    image: async (kind) => {
      const { reference, workingDir } = IMAGES[kind];
      const env = ["PATH=/bin", "IMAGE_ONLY=image", "BOTH=image"];
      return simImage(reference, { cmd: ["/bin/sh"], env, workingDir });
    },
  };
}

function openSimHost(file: string | undefined, runOnce: boolean): OpenedEngine {
  const machine = new SimMachine(file === undefined ? {} : { file });
  const config = { kind: "sim", runOnce, ...(file === undefined ? {} : { file }) } as const;
  const { engine, host } = openSim(config, "here", { machine });
  return {
    engine,
    host,
    directories: hostDirectories({}),
    page: async (port) =>
      (await host.probe({ port }, 0)) === undefined
        ? machine.read((state) => servedOn(state, port))
        : undefined,
    breakNetwork: (identity) => machine.detach(identity, "somebody broke its network"),
    killContainer: (identity, container) => machine.kill(identity, container),
    addForeignImage: (name) =>
      machine.addForeignImage(name, `sha256:${randomUUID().replaceAll("-", "").repeat(2)}`),
    traces: async () => [
      ...machine.read(namesOf),
      ...(file === undefined ? [] : filesBeside(file)),
    ],
    close: async () => {
      await engine[Symbol.asyncDispose]();
      if (file !== undefined) rmSync(file, { force: true });
    },
  };
}

/** The page of the pod that publishes a port: the simulated httpd gives none out itself. */
function servedOn({ pods }: MachineState, port: number): string | undefined {
  const pod = Object.values(pods).find(
    ({ spec, network }) =>
      network !== undefined &&
      network.aside !== true &&
      spec.ports?.some(({ host }) => host === port),
  );
  return Object.values(pod?.containers ?? {})
    .map(({ layer }) => layer?.["/tmp/www/index.html"])
    .find((text) => text !== undefined);
}

type MachineState = Parameters<Parameters<SimMachine["read"]>[0]>[0];

function namesOf(state: MachineState): readonly string[] {
  const { pods, images, leftovers, files, directories } = state;
  return [pods, images, leftovers, files, directories].flatMap((each) => Object.keys(each).sort());
}

function filesBeside(file: string): readonly string[] {
  return readdirSync(dirname(file)).filter((each) => each.startsWith(basename(file)));
}
