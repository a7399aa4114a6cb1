import { runScript } from "./lib/node-modules.mjs";

runScript("test.ts");
