import { resolve } from "node:path";
import { type CommandLine, failAs, parseCommandLine } from "./arguments.ts";
import { gc, rm, stop } from "./commands/end.ts";
import { enter } from "./commands/enter.ts";
import { exportApp } from "./commands/export.ts";
import {
  fetch,
  imageCatManifest,
  imageExport,
  imageGc,
  imageList,
  imageRm,
  imageVerify,
} from "./commands/images.ts";
import { catManifest, list, status } from "./commands/look.ts";
import { prepare } from "./commands/prepare.ts";
import { runFirst, start } from "./commands/run.ts";
import { complain, Exit, print, refuse } from "./output.ts";
import { makePlaces } from "./pods.ts";

type Command = (line: CommandLine, dataDir: string) => void | Promise<void>;

const ROOT_ONLY = ["prepare", "run", "rm", "gc"];

const VERSION = [
  "rkt Version: 1.30.0",
  "appc Version: 0.8.11",
  "Go Version: go1.19.8",
  "Go OS/Arch: linux/amd64",
  "Features: -TPM -SDJOURNAL",
];

const COMMANDS: Readonly<Record<string, Command>> = {
  "cat-manifest": catManifest,
  enter,
  export: exportApp,
  fetch,
  gc,
  "image cat-manifest": imageCatManifest,
  "image export": imageExport,
  "image gc": imageGc,
  "image list": imageList,
  "image rm": imageRm,
  "image verify": imageVerify,
  list,
  prepare,
  rm,
  run: (line, dataDir) =>
    (process.env["RKT_DOUBLE_POD"] ?? "") === "" ? runFirst(line, dataDir) : start(line, dataDir),
  "run-prepared": start,
  status,
  stop,
  version: () => print(VERSION.map((line) => `${line}\n`).join("")),
};

async function main(): Promise<void> {
  const line = parseCommandLine(process.argv.slice(2));
  const command = COMMANDS[line.command] ?? refuse(`"rkt ${line.command}"`);
  const dataDir = resolve(line.flags.get("dir") ?? "/var/lib/rkt");
  if (line.command === "version") return command(line, dataDir);
  if (ROOT_ONLY.includes(line.command) && process.getuid?.() !== 0) {
    failAs(line.command, "cannot run as unprivileged user");
  }
  try {
    makePlaces(dataDir);
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" || line.command !== "list") throw error;
    complain(`list: failed to get pod handles: mkdir ${path}: permission denied\n`);
    throw new Exit(254, { cause: error });
  }
  await command(line, dataDir);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Exit))
    complain(`rkt-double: ${String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = error instanceof Exit ? error.code : 254;
}
