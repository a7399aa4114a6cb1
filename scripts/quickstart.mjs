import { runScript } from "./lib/node-modules.mjs";

runScript("quickstart.ts");
