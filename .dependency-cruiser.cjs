/** Folder -> the folders it may import. A folder may always import itself. */
const LAYERS = {
  errors: [],
  internal: ["errors"],
  model: ["errors"],
  constructs: ["model", "errors"],
  inventory: ["constructs", "model", "errors"],
  plan: ["model", "errors"],
  host: ["errors", "internal"],
  image: ["model", "errors", "internal"],
  engine: ["model", "errors"],
  network: ["engine", "host", "model", "errors", "internal"],
  engines: ["engine", "host", "image", "model", "errors", "internal", "gen"],
  reconcile: ["plan", "engine", "host", "image", "model", "errors", "internal"],
  gen: [],
};

const TEST = "\\.test\\.ts$";

const layers = Object.entries(LAYERS).map(([folder, allowed]) => ({
  name: `layer-${folder}`,
  severity: "error",
  from: { path: `^src/${folder}/`, pathNot: TEST },
  to: { path: "^src/", pathNot: [folder, ...allowed].map((name) => `^src/${name}/`) },
}));

module.exports = {
  forbidden: [
    ...layers,
    {
      name: "every-folder-has-a-layer",
      severity: "error",
      from: { path: "^src/" },
      to: {
        path: "^src/[^/]+/",
        pathNot: [...Object.keys(LAYERS), "cli"].map((name) => `^src/${name}/`),
      },
    },
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "engines-are-islands",
      severity: "error",
      from: { path: "^src/engines/([^/]+)/", pathNot: TEST },
      to: { path: "^src/engines/", pathNot: "^src/engines/$1/" },
    },
    {
      name: "engines-only-from-the-composition-root",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/engines/", "^src/cli/", TEST] },
      to: { path: "^src/engines/" },
    },
    {
      name: "through-the-index",
      severity: "error",
      from: { path: "^src/([^/]+)", pathNot: TEST },
      to: {
        path: "^src/(errors|internal|model|engine|plan|reconcile|constructs|inventory|host|image|network)/",
        pathNot: ["^src/$1/", "/index\\.ts$"],
      },
    },
    {
      name: "engines-through-the-index",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/engines/", TEST] },
      to: { path: "^src/engines/", pathNot: "/index\\.ts$" },
    },
    {
      name: "pure-folders-do-no-io",
      severity: "error",
      from: {
        path: "^src/(errors|model|plan|engine|constructs)/",
        pathNot: [TEST, "^src/constructs/cdk\\.ts$"],
      },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?crypto$" },
    },
    {
      name: "the-synth-hook-only-writes-files",
      severity: "error",
      from: { path: "^src/constructs/cdk\\.ts$" },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?(crypto|fs|path)$" },
    },
    {
      // a command loads what it needs when it is run
      name: "the-start-loads-no-schemas",
      severity: "error",
      from: { path: "^src/cli/(main|run-cli|commands/catalog)\\.ts$" },
      to: {
        path: [
          "^src/(?!cli/|errors/)",
          "^src/cli/(?:connector|plain-schemas|commands/(?!catalog))",
        ],
        dynamic: false,
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "vendor-packages-stay-in-their-adapter",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/engines/containerd/", "^src/gen/"] },
      to: { path: "node_modules/(@grpc|@bufbuild)/" },
    },
    {
      name: "registries-are-spoken-with-in-one-folder",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/image/registry/" },
      to: { path: "node_modules/undici/" },
    },
    {
      name: "cdktf-stays-in-one-file",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/constructs/cdk\\.ts$", TEST] },
      to: { path: "node_modules/(cdktf|@cdktf)/" },
    },
    {
      name: "no-unresolvable",
      severity: "error",
      from: { path: "^src/" },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      mainFields: ["module", "main", "types"],
    },
  },
};
