import { createConnector } from "../../../src/cli/connector.ts";
import { runCli } from "../../../src/cli/run-cli.ts";
import { processStreams } from "../../../src/cli/terminal-streams.ts";
import { paintOf } from "../../../src/cli/text/paint.ts";
import type { BootPlaces } from "../../../src/host/index.ts";

/** The command line on a host whose systemd is where a test says: the places as JSON, then the words. */
const [places = "", ...words] = process.argv.slice(2);
const output = (stream: NodeJS.WriteStream) => ({
  write: (text: string) => void stream.write(text),
  ready: async () => {},
  isTerminal: false,
  columns: undefined,
});
void runCli(words, {
  stdout: output(process.stdout),
  stderr: output(process.stderr),
  bytes: async () => processStreams,
  env: process.env,
  cwd: process.cwd(),
  platform: process.platform,
  program: process.argv[1] ?? "",
  isInteractive: () => false,
  paint: paintOf(false),
  drain: new AbortController().signal,
  abort: new AbortController().signal,
  goOnUnread: () => {},
  appliedBy: "test@desk",
  connector: createConnector({ boot: JSON.parse(places) as BootPlaces }),
  now: () => new Date(),
  confirm: async () => false,
}).then((exitCode) => {
  process.exitCode = exitCode;
});
