import packageJson from "../../package.json" with { type: "json" };

/** Version of this program. */
export function programVersion(): string {
  return packageJson.version;
}
