import { openSim, SimWorld } from "/work/main/src/engines/sim/index.ts";
import { simImage } from "/work/main/test/conformance/support/sim-image.ts";
const image = simImage("docker.io/library/app:1", { entrypoint: ["/bin/app"] });
const world = new SimWorld();
const t0 = performance.now();
const applied = { main: { reference: image.reference, digest: image.manifest.digest } };
for (let h = 0; h < 1000; h++) {
  const { engine } = openSim({ kind: "sim" }, `h${h}`, { world });
  await engine.importImage(image, { owner: "o", fleet: "f" });
  for (let p = 0; p < 100; p++) {
    const spec = { containers: { main: { image: image.reference, env: { A: `v${h}-${p}`, B: "b" }, resources: { memoryBytes: 64e6 + p } } }, restart: { policy: "always" as const }, labels: { a: `${h}` } };
    const pod = { identity: { owner: "o", fleet: "f", host: `h${h}`, pod: `p${p}`, generation: 1 }, spec, images: applied, recordDigest: `sha256:${h}-${p}`, volumeDirs: {} };
    await engine.prepare(pod); await engine.start(pod);
  }
}
const mb = () => `${Math.round(process.memoryUsage().rss / 1e6)} MB rss, ${Math.round(process.memoryUsage().heapUsed / 1e6)} heap`;
console.log("made", Math.round(performance.now() - t0), "ms", mb());
const t1 = performance.now();
const all = [];
for (let h = 0; h < 1000; h++) all.push(await openSim({ kind: "sim" }, `h${h}`, { world }).engine.observe());
console.log("observed", Math.round(performance.now() - t1), "ms", mb(), all.reduce((n, o) => n + o.pods.length, 0));
const t2 = performance.now(); let n = 0;
for (const o of all) for (const p of o.pods) { n += Object.keys(p.reported).length; for (const c of Object.values(p.containers)) n += Object.keys(c.reported).length; }
console.log("reported", Math.round(performance.now() - t2), "ms", n, mb());
