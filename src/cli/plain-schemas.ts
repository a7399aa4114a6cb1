import * as z from "zod";

// before any schema is made; a check that is compiled first pays for that from tens of thousands of pods on; a command checks all once
z.config({ jitless: true });
