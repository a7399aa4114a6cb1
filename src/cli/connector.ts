import type { Engine } from "../engine/index.ts";
import { StowageError } from "../errors/index.ts";
import type { Host } from "../host/index.ts";
