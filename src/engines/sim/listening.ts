import type { ListeningPort, PortHolder } from "../../host/index.ts";
import { portKey } from "../../model/index.ts";
import { processArgv } from "./container-context.ts";
import type { MachineState, SimContainer, SimPod } from "./machine-state.ts";
