import { join } from "node:path";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";

const CONNECTOR = join(import.meta.dirname, "../../src/reconcile/connector.ts");

/** Methods that look and leave everything as it is. */
const LOOKS: Readonly<Record<string, readonly string[]>> = {
  host: ["diskUsage", "holders", "inspect", "probe", "reachSocket", "readFileFrom", "snapshot"],
  engine: ["capabilities", "events", "info", "logs", "observe"],
};

describe("what planning gets of a host", () => {
  const found = new Map<string, readonly string[]>();
  /** What the method that opens another engine gives, by who has it. */
  const engineAt = new Map<string, string>();

  beforeAll(() => {
    const options = { allowImportingTsExtensions: true, noEmit: true, strict: true };
    const program = ts.createProgram([CONNECTOR], {
      ...options,
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.NodeNext,
      skipLibCheck: true,
      types: [],
    });
    const checker = program.getTypeChecker();
    const source = program.getSourceFile(CONNECTOR) as ts.SourceFile;
    const methods = (type: string, member: string): readonly string[] => {
      const declared = source.statements
        .filter(ts.isInterfaceDeclaration)
        .find(({ name }) => name.text === type) as ts.InterfaceDeclaration;
      const property = checker.getTypeAtLocation(declared).getProperty(member) as ts.Symbol;
      return checker
        .getTypeOfSymbolAtLocation(property, source)
        .getProperties()
        .filter((each) => checker.getTypeOfSymbol(each).getCallSignatures().length > 0)
        .map(({ name }) => name)
        .filter((name) => !name.startsWith("__@"))
        .sort();
    };
    for (const declared of source.statements.filter(ts.isInterfaceDeclaration)) {
      const method = checker.getTypeAtLocation(declared).getProperty("engineAt");
      const call =
        method && checker.getTypeOfSymbolAtLocation(method, source).getCallSignatures()[0];
      if (call) engineAt.set(declared.name.text, checker.typeToString(call.getReturnType()));
    }
    // types are looked up when they are asked for, which takes seconds the first time
    for (const member of Object.keys(LOOKS)) {
      for (const type of ["HostReading", "HostAccess"]) {
        found.set(`${type}.${member}`, methods(type, member));
      }
    }
  }, 60_000);

  test("gets readers of the host's other engines as well", () => {
    expect(engineAt.get("HostReading")).toBe("Promise<EngineReader>");
    expect(engineAt.get("HostAccess")).toBe("Promise<Engine>");
  });

  test.each(Object.entries(LOOKS))("has no method of its %s that writes", (member, looks) => {
    expect(found.get(`HostReading.${member}`)).toEqual(looks);
    expect(found.get(`HostAccess.${member}`)?.length).toBeGreaterThan(looks.length);
  });
});
