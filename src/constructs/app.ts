import { DiagnosticsError } from "../errors/index.ts";
import { TerraformApp } from "./cdk.ts";
import { Fleet } from "./fleet.ts";

/** The root of a declaration: holds fleets and writes them. */
export class App extends TerraformApp {
  /**
   * Writes each fleet's Terraform JSON and, beside it, its manifest: `stacks/<fleet>/fleet.json` in
   * the output directory (`cdktf.out`).
   *
   * @throws DiagnosticsError with the mistakes of all fleets at once, each at its construct's path,
   *   before anything is written.
   */
  override synth(): void {
    if (!this.skipValidation) {
      const fleets = this.node.findAll().filter((each) => each instanceof Fleet);
      const mistakes = fleets
        .flatMap((fleet) => fleet.diagnostics())
        .filter(({ severity }) => severity === "error");
      if (mistakes.length > 0) throw new DiagnosticsError("The declaration", mistakes);
    }
    super.synth();
  }
}
