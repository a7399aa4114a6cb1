import type { Construct, IConstruct } from "constructs";
import { type Diagnostic, DiagnosticsError } from "../errors/index.ts";
import { digestOf, type RegistrySpec } from "../model/index.ts";
import { type Assessment, assessFleet } from "./assess-fleet.ts";
import {
  MANIFEST_FILE,
  readProjectId,
  runWithTerraform,
  TerraformStack,
  writeWithStack,
} from "./cdk.ts";
import { copyData } from "./copy-data.ts";
import { checkDefaults, copyDefaults, FLEET_DEFAULTS, type FleetDefaults } from "./defaults.ts";
import type { FleetIdentity } from "./draft-fleet.ts";
import { checkOptions, type OptionNames } from "./options.ts";
import { type FleetScope, markScope } from "./scopes.ts";

/** Properties of {@link Fleet}. */
export interface FleetProps {
  /**
   * Who owns the fleet: two fleets of one name and different owners never touch each other.
   *
   * @defaultValue - the `projectId` of cdktf.json in the directory that the app runs in
   */
  readonly id?: string;
  /**
   * Former name of the fleet, whose pods are taken over.
   *
   * @defaultValue - none
   */
  readonly formerly?: string;
  /**
   * How registries are reached, by their domain in image references: `docker.io` for those without one.
   *
   * @defaultValue - over TLS, without mirrors
   */
  readonly registries?: Readonly<Record<string, RegistrySpec>>;
  /**
   * What hosts, pods and containers have unless they say otherwise.
   *
   * @defaultValue - none
   */
  readonly defaults?: FleetDefaults;
  /**
   * Command line by which Terraform runs Stowage; a shell reads it.
   *
   * @defaultValue stowage
   */
  readonly command?: string;
}

const FLEET: OptionNames<FleetProps> = {
  id: true,
  formerly: true,
  registries: true,
  defaults: true,
  command: true,
};

/** The unit of declaration and ownership: hosts and their pods, written as one manifest. */
export class Fleet extends TerraformStack implements FleetScope {
  readonly fleetName: string;
  readonly defaults: FleetDefaults;
  readonly #identity: FleetIdentity;
  readonly #problems: readonly Diagnostic[];
  #assessment: Assessment | undefined;
  #isSynthesizing = false;

  constructor(scope: Construct, id: string, props: FleetProps = {}) {
    super(scope, id);
    markScope(this, "fleet");
    checkOptions(this, props, FLEET);
    checkDefaults(this, props.defaults, FLEET_DEFAULTS);
    this.fleetName = id;
    this.defaults = copyDefaults(props.defaults ?? {});
    const owner = props.id === undefined ? readProjectId() : { id: props.id };
    // without an owner this stands in, so that all else can be checked
    this.#identity = {
      id: "id" in owner ? owner.id : "nobody",
      formerly: props.formerly,
      registries: copyData(props.registries),
    };
    const command: unknown = props.command ?? "stowage";
    const isCommand = typeof command === "string" && command.trim() !== "";
    this.#problems = [
      ...("id" in owner ? [] : [missingOwner(owner.problem)]),
      ...(isCommand ? [] : [NO_COMMAND]),
    ];
    this.node.addValidation({ validate: () => [...this.mistakesAt(this)] });
    runWithTerraform(this, {
      command: isCommand ? command : "stowage",
      digest: () => digestOf(this.#assess().manifest),
    });
    writeWithStack(this, {
      name: MANIFEST_FILE,
      text: () => this.#manifestText(),
      within: (synthesis) => this.#synthesize(synthesis),
    });
  }

  /** Everything that is wrong with the fleet, each finding at its construct's path. */
  diagnostics(): readonly Diagnostic[] {
    return this.#assess().mistakes.map(({ construct, severity, text }) => ({
      severity,
      summary: text,
      path: construct.node.path,
    }));
  }

  /** @internal */
  mistakesAt(construct: IConstruct): readonly string[] {
    return this.#assess()
      .mistakes.filter((each) => each.construct === construct && each.severity === "error")
      .map(({ text }) => text);
  }

  /** Validates every construct of the fleet, looking at the whole of it once. */
  override runAllValidations(): void {
    this.#assessment = assessFleet(this, this.#identity, this.#problems);
    try {
      super.runAllValidations();
    } finally {
      // what was validated is what is written: nothing is declared in between
      if (!this.#isSynthesizing) this.#assessment = undefined;
    }
  }

  #synthesize(synthesis: () => void): void {
    this.#isSynthesizing = true;
    try {
      synthesis();
    } finally {
      this.#isSynthesizing = false;
      this.#assessment = undefined;
    }
  }

  #assess(): Assessment {
    return this.#assessment ?? assessFleet(this, this.#identity, this.#problems);
  }

  #manifestText(): string {
    const { manifest, mistakes } = this.#assess();
    if (manifest !== undefined) return `${JSON.stringify(manifest, null, 2)}\n`;
    const errors = mistakes.filter(({ severity }) => severity === "error");
    throw new DiagnosticsError(
      `Fleet "${this.fleetName}"`,
      errors.map(({ construct, text }) => ({
        severity: "error",
        summary: text,
        path: construct.node.path,
      })),
    );
  }
}

const NO_COMMAND: Diagnostic = {
  severity: "error",
  summary: "must be a command line",
  detail: "leave it out where stowage is on PATH",
  path: "command",
};

function missingOwner(problem: string): Diagnostic {
  return {
    severity: "error",
    summary: `the fleet has no owner: ${problem}`,
    detail: 'run "stowage init" for a project with one, or set id',
    path: "id",
  };
}
