import { ensureSystemPackages } from "./lib/system-packages.ts";

const result = await ensureSystemPackages();
switch (result.status) {
  case "present":
    console.log("All programs that Stowage's tests and examples need are here.");
    break;
  case "installed":
    console.log(`Installed: ${result.packages.join(", ")}.`);
    break;
  case "missing":
    console.error(result.advice);
    process.exitCode = 1;
    break;
  default:
    result satisfies never;
}
