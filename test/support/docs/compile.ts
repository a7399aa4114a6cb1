import { join } from "node:path";
import ts from "typescript";
import { PROJECT_ROOT } from "./pages.ts";

const TSCONFIG = join(PROJECT_ROOT, "tsconfig.json");

/** What the compiler finds in each file, under the project's own options. */
export function diagnosticsOf(files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const { config } = ts.readConfigFile(TSCONFIG, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [] },
    ts.sys,
    PROJECT_ROOT,
  );
  const typeRoots = [join(PROJECT_ROOT, "node_modules/@types")];
  const program = ts.createProgram([...files], { ...options, typeRoots });
  return new Map(
    files.map((file) => {
      const source = program.getSourceFile(file);
      const found = [
        ...program.getSyntacticDiagnostics(source),
        ...program.getSemanticDiagnostics(source),
      ];
      return [
        file,
        found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
      ];
    }),
  );
}
