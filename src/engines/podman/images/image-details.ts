import type { ImageDefaults } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { type AppliedImage, imageName } from "../../../model/index.ts";
import { ImageInspectAnswer } from "../cli/answers.ts";
import type { PodmanCli } from "../cli/podman-cli.ts";
import { imageTag } from "./image-tag.ts";

/** What an image in podman says of how to run it. */
export interface ImageDetails {
  /** Its id: the hexadecimal digits of its config's digest. */
  readonly id: string;
  readonly defaults: ImageDefaults;
}

/** Reads images from podman's store; what a name of ours leads to never changes and is read once. */
export class ImageDetailsReader {
  readonly #cli: PodmanCli;
  readonly #scope: string;
  readonly #known = new Map<string, Promise<ImageDetails>>();

  /** @param scope of the files that say who uses an image */
  constructor(cli: PodmanCli, scope: string) {
    this.#cli = cli;
    this.#scope = scope;
  }

  /**
   * What an image says of how to run it.
   *
   * @throws StowageError `not_found` when it is not in podman
   */
  read(image: AppliedImage): Promise<ImageDetails> {
    const name = imageName(image.reference, image.digest);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    // shared by callers, so no caller's signal may end it
    const reading = this.#read(image, name);
    this.#known.set(name, reading);
    reading.catch(() => this.#known.delete(name));
    return reading;
  }

  /** Has an image looked up again the next time. */
  forget(name: string): void {
    this.#known.delete(name);
  }

  async #read({ reference, digest }: AppliedImage, name: string): Promise<ImageDetails> {
    try {
      const [found] = await this.#cli.json(
        ["image", "inspect", imageTag(this.#scope, reference, digest)],
        ImageInspectAnswer,
        { doing: `read image "${name}"` },
      );
      if (found === undefined) throw missing(name);
      const { Env, Entrypoint, Cmd, WorkingDir, User, StopSignal } = found.Config;
      return {
        id: found.Id,
        defaults: {
          env: Env,
          entrypoint: Entrypoint.length === 0 ? undefined : Entrypoint,
          cmd: Cmd.length === 0 ? undefined : Cmd,
          workingDir: WorkingDir,
          user: User,
          stopSignal: StopSignal,
        },
      };
    } catch (error) {
      if (StowageError.is(error, "not_found")) throw missing(name, error);
      throw error;
    }
  }
}

function missing(name: string, cause?: unknown): StowageError {
  return new StowageError(`Cannot use image "${name}": it is not in podman; import it first`, {
    code: "not_found",
    cause,
    context: { image: name },
  });
}
