export { AfterLine, LastBytes } from "./byte-sinks.ts";
export * from "./host.ts";
export { openLocalHost } from "./local/local-host.ts";
export { LOG_WRITER_NAME, LOG_WRITER_SCRIPT } from "./logs/log-writer-script.ts";
export { type LogSource, readLogs } from "./logs/read-logs.ts";
export { openSshHost } from "./open-ssh-host.ts";
export { reserveSpace } from "./reserve-space.ts";
export { runInTerminal } from "./run-in-terminal.ts";
