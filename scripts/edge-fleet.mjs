import { runScript } from "./lib/node-modules.mjs";

runScript("edge-fleet.ts");
