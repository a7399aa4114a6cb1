import { Construct } from "constructs";
import type { ImageSpec } from "../model/index.ts";
import { projectPath } from "./cdk.ts";
import { compact } from "./compact.ts";
import { checkOptions, type OptionNames } from "./options.ts";
import { reportMistakes } from "./scopes.ts";

/** Properties of {@link Image}. */
export interface ImageProps {
  /** Reference that the image has: `repository[:tag][@digest]`. */
  readonly reference: string;
  /**
   * OCI layout directory that holds it, absolute or relative to the project.
   *
   * @defaultValue - the image is in `archive`, in its registry, or in the engine already
   */
  readonly layout?: string;
  /**
   * OCI archive (a tar of a layout) that holds it, absolute or relative to the project.
   *
   * @defaultValue - the image is in `layout`, in its registry, or in the engine already
   */
  readonly archive?: string;
  /**
   * Digest that the index or the platform's manifest must have.
   *
   * @defaultValue - whatever the reference leads to
   */
  readonly digest?: string;
}

const IMAGE: OptionNames<ImageProps> = {
  reference: true,
  layout: true,
  archive: true,
  digest: true,
};

/** An image that containers can run. */
export interface IImage {
  /** Reference that the image has. */
  readonly reference: string;
}

/** Says where the bytes of an image come from. */
export class Image extends Construct implements IImage {
  readonly reference: string;
  readonly #layout: ProjectPath | undefined;
  readonly #archive: ProjectPath | undefined;
  readonly #digest: string | undefined;

  constructor(scope: Construct, id: string, props: ImageProps) {
    super(scope, id);
    checkOptions(this, props, IMAGE);
    const { reference, layout, archive, digest } = props;
    this.reference = reference;
    this.#layout = layout === undefined ? undefined : projectPath(layout);
    this.#archive = archive === undefined ? undefined : projectPath(archive);
    this.#digest = digest;
    reportMistakes(this);
  }

  /** @internal */
  toSpec(): ImageSpec {
    return compact<ImageSpec>({
      layout: this.#layout?.(this),
      archive: this.#archive?.(this),
      digest: this.#digest,
    });
  }
}

type ProjectPath = ReturnType<typeof projectPath>;
