import * as z from "zod";

// a check that is compiled first pays for that from ten thousands of pods on; a command checks everything once
z.config({ jitless: true });
