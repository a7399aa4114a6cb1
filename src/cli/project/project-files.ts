import { programVersion } from "../version.ts";

/**
 * Files of a new project, by name.
 *
 * @param folder of the package of Stowage, which is on no registry; without it a version is named
 */
export function projectFiles(
  fleet: string,
  projectId: string,
  folder: string | undefined,
): Readonly<Record<string, string>> {
  return {
    "package.json": json({
      name: fleet,
      private: true,
      type: "module",
      scripts: { plan: "stowage plan", apply: "stowage apply" },
      dependencies: { stowage: folder === undefined ? `^${programVersion()}` : `file:${folder}` },
      devDependencies: { "@types/node": "^20.19.0", tsx: "^4.23.0", typescript: "^6.0.3" },
    }),
    "cdktf.json": json({ language: "typescript", app: "node --import tsx main.ts", projectId }),
    "main.ts": mainFile(fleet),
    "tsconfig.json": json({
      compilerOptions: {
        target: "es2023",
        module: "nodenext",
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        types: ["node"],
      },
      include: ["*.ts"],
    }),
    ".gitignore": "node_modules/\ncdktf.out/\nimages/\n",
    "README.md": readmeFile(fleet, folder),
  };
}

function mainFile(fleet: string): string {
  return `import { App, Engine, Fleet, Host, Image, Pod, Size } from "stowage";

const app = new App();
const fleet = new Fleet(app, ${JSON.stringify(fleet)}, { defaults: { engine: Engine.containerd() } });

const host = new Host(fleet, "here", { address: "local" });

const busybox = new Image(fleet, "busybox", { reference: "docker.io/library/busybox:1.36" });

new Pod(host, "clock", {
  containers: {
    clock: {
      image: busybox,
      command: ["sh", "-c", "while true; do date; sleep 10; done"],
      resources: { memory: Size.mebibytes(64) },
    },
  },
});

app.synth();
`;
}

function readmeFile(fleet: string, folder: string | undefined): string {
  const origin =
    folder === undefined
      ? ""
      : `
Stowage is on no registry: \`package.json\` names the folder of the one that made this project. Elsewhere, \`npm install PATH\` with the path of a clone
in which \`npm ci\` and \`npm run build\` were run names that.
`;
  return `# ${fleet}

A fleet of containers, declared in \`main.ts\` and brought to its hosts by Stowage.

\`\`\`
npm install
npx stowage doctor      # is this machine ready
npx stowage validate    # is the declaration right
npx stowage plan        # what would be done, and why
npx stowage apply       # do it
npx stowage ps          # what runs
npx stowage logs clock
npx stowage destroy
\`\`\`

The image comes from its registry, with the login of \`docker login\` or \`podman login\` where it needs one. Where there is no registry at hand, name
an OCI archive of it in \`main.ts\` (\`archive: "images/busybox.tar"\`), as \`skopeo copy docker://IMAGE oci-archive:FILE:IMAGE\` makes one.

\`cdktf.json\` holds the \`projectId\` that owns the fleet on its hosts: commit it and do not change it.
${origin}`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
