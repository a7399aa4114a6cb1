// ssh's ProxyCommand `node far-wire.mjs HOST PORT MS`: whatever goes either way is so long under way, and nothing overtakes
import { connect } from "node:net";

const [host, port, ms] = process.argv.slice(2);
const leave = () => process.exit();
const socket = connect({ host, port: Number(port), allowHalfOpen: true }).on("error", leave);
const late = (task) => setTimeout(task, Number(ms));
process.stdin.on("data", (bytes) => late(() => socket.write(bytes)));
process.stdin.on("end", () => late(() => socket.end()));
process.stdout.on("error", leave);
socket.on("data", (bytes) => late(() => process.stdout.write(bytes)));
// Node does not close its standard output but by ending
socket.on("end", () => late(() => process.stdout.write("", leave)));
