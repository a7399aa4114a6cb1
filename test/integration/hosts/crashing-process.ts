import { TestHosts } from "../../hosts/test-hosts.ts";

/** Makes a host and is killed. It prints the folder first. */
const hosts = await TestHosts.make();
await hosts.add("lost");
console.log(hosts.folder);
process.kill(process.pid, "SIGKILL");
