import * as stowage from "../../../src/index.ts";
import { codeBlocks, codeSpans, type MarkdownPage } from "./markdown.ts";

/** Code of a page, completed to programs that stand alone. */
export interface Example {
  /** Where it is, for people. */
  readonly name: string;
  /** One; of an excerpt of props one for each place that it may be of. */
  readonly programs: readonly string[];
}

const IMAGE = 'image: "example.com/shop/web:1.8.2"';
const CONTAINERS = `containers: { web: { ${IMAGE} } }`;

const HOST =
  'const host = new Host(fleet, "here", { address: "ssh://here", engine: Engine.containerd(), labels: { role: "web" } });';
const POD = 'new Pod(host, "web", { containers: { web: { image: "nginx:1.27" } } });';

/** What fragments take for granted, by name. What one declares by itself it does not get. */
const TAKEN_FOR_GRANTED: Readonly<Record<string, string>> = {
  readFileSync: 'import { readFileSync } from "node:fs";',
  parseEnv: 'import { parseEnv } from "node:util";',
  app: "const app = new App();",
  fleet: `const fleet = new Fleet(app, "shop", { defaults: { engine: Engine.containerd() } });\n${HOST}`,
  front: 'const front = new BridgeNetwork(fleet, "front");',
  size: "const size = Size.mebibytes(64);",
  myCloud: 'const myCloud = "fra";',
  machinesOf:
    'const machinesOf = async (cloud: string) => [{ name: `edge-${cloud}`, ip: "10.0.0.7" }];',
};

/** What an excerpt of props may be of: its type, and what makes one with it. */
const PLACES: readonly (readonly [string, string])[] = [
  ["ContainerProps", `new Pod(host, "web", { containers: { web: { ${IMAGE}, ...excerpt } } });`],
  ["PodProps", `new Pod(host, "web", { ${CONTAINERS}, ...excerpt });`],
  ["ServiceProps", `new Service(fleet, "web", { on: Hosts.all(), ${CONTAINERS}, ...excerpt });`],
  ["HostProps", 'new Host(fleet, "edge-a", Object.assign({ address: "local" }, excerpt));'],
  ["FleetProps", 'new Fleet(app, "other", excerpt);'],
  ["BridgeNetworkProps", 'new BridgeNetwork(fleet, "back", excerpt);'],
  [
    "Port",
    `new Pod(host, "web", { ${CONTAINERS}, ports: [Object.assign({ host: 80 }, excerpt)] });`,
  ],
  ["Security", `new Pod(host, "web", { containers: { web: { ${IMAGE}, security: excerpt } } });`],
];

/** Begins an excerpt of props, such as `restart: RestartPolicy.always()`. */
const EXCERPT = /^[a-z]\w*: (?=["\w[{])/;
/** Begins an expression of the public API. */
const EXPRESSION = /^(?:new [A-Z]|[A-Z]\w*\.[a-z]\w*\()/;

/** TypeScript between fences. */
export function exampleBlocks({ path, text }: MarkdownPage): readonly Example[] {
  return codeBlocks(text)
    .filter(({ language }) => language === "ts")
    .map(({ code }, index) => ({ name: `${path} block ${index + 1}`, programs: complete(code) }));
}

/** TypeScript between backticks; what leaves something out (`…`) is none. */
export function exampleSpans({ path, text }: MarkdownPage): readonly Example[] {
  return [...new Set(codeSpans(text))]
    .filter((span) => (EXCERPT.test(span) || EXPRESSION.test(span)) && !span.includes("…"))
    .map((span) => ({ name: `${path} \`${span}\``, programs: complete(span) }));
}

/** JSON between backticks, as an object. */
export function jsonSpans({ text }: MarkdownPage): readonly string[] {
  return [...new Set(codeSpans(text))].filter((span) => /^"\w+": /.test(span));
}

function complete(code: string): readonly string[] {
  if (code.includes('from "stowage"')) return [code];
  // a fleet is none without a host, and its settings are idle without a pod
  if (code.startsWith("new Fleet(")) return [standAlone(`const fleet = ${code}${HOST}\n${POD}`)];
  if (!EXCERPT.test(code)) return [standAlone(code)];
  return PLACES.map(([type, making]) =>
    standAlone(`const excerpt = { ${code.trim()} } satisfies Partial<${type}>;\n${making}`),
  );
}

/** With what it takes for granted, and its end. */
function standAlone(code: string): string {
  let all = `${code.trimEnd()}\napp.synth();\n`;
  for (const [name, making] of Object.entries(TAKEN_FOR_GRANTED).toReversed()) {
    const isNeeded = uses(all, name) || (name === "fleet" && uses(all, "host"));
    if (isNeeded && !declares(code, name)) all = `${making}\n${all}`;
  }
  const names = Object.keys(stowage).filter((name) => uses(all, name));
  const types = PLACES.map(([type]) => type)
    .filter((type) => uses(all, type) && !names.includes(type))
    .map((type) => `type ${type}`);
  return `import { ${[...names, ...types].join(", ")} } from "stowage";\n${all}`;
}

/** Whether code has a name, outside of strings and comments, that is no field. */
function uses(code: string, name: string): boolean {
  const bare = code.replaceAll(/"[^"\n]*"/g, '""').replaceAll(/\/\/.*$/gm, "");
  return new RegExp(`(?<![\\w.])${name}(?![\\w:])`).test(bare);
}

function declares(code: string, name: string): boolean {
  return new RegExp(`\\b(?:const|let|function) ${name}\\b`).test(code);
}
