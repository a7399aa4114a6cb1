// Loaded into a measured process with --require: writes its peak of resident memory when it ends.
// Read from /proc, as the resource usage of a process also counts what its parent held before exec.
process.once("exit", () => {
  const { readFileSync, writeFileSync } = require("node:fs");
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  writeFileSync(process.env.STOWAGE_PEAK_MEMORY_FILE, `${Number(peak) * 1024}\n`);
});
