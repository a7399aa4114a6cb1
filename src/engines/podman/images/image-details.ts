import type { ImageDefaults } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import type { HostReader } from "../../../host/index.ts";
import { storedDefaults } from "../../../image/index.ts";
import { type AppliedImage, imageName } from "../../../model/index.ts";
import { ImageInspectAnswer } from "../cli/answers.ts";
import type { PodmanCli } from "../cli/podman-cli.ts";
import type { MachineFacts } from "../store/machine-facts.ts";
import { imageConfigFiles, imageConfigIn } from "../store/stored-images.ts";
import { imageTag } from "./image-tag.ts";

/** What an image in podman says of how to run it. */
export interface ImageDetails {
  /** Its id: the hexadecimal digits of its config's digest. */
  readonly id: string;
  readonly defaults: ImageDefaults;
}

/** What reading images takes. */
export interface ImageDetailsParts {
  readonly cli: PodmanCli;
  readonly host: HostReader;
  readonly facts: Pick<MachineFacts, "graphRoot" | "hasOtherStores">;
  /** Of the files that say who uses an image. */
  readonly scope: string;
}

/**
 * Reads images from podman's store, and asks podman where its files do not tell; what a name of ours leads
 * to never changes and is read once.
 */
export class ImageDetailsReader {
  readonly #parts: ImageDetailsParts;
  readonly #known = new Map<string, Promise<ImageDetails>>();

  constructor(parts: ImageDetailsParts) {
    this.#parts = parts;
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

  async #read(image: AppliedImage, name: string): Promise<ImageDetails> {
    const tag = imageTag(this.#parts.scope, image.reference, image.digest);
    return (await this.#readStored(image, tag)) ?? (await this.#ask(tag, name));
  }

  async #readStored(
    { configDigest }: AppliedImage,
    name: string,
  ): Promise<ImageDetails | undefined> {
    const { host, facts } = this.#parts;
    if (configDigest === undefined || facts.hasOtherStores) return undefined;
    const id = configDigest.replace(/^sha256:/, "");
    const { files } = await host.snapshot({ files: imageConfigFiles(facts.graphRoot, id) });
    const config = imageConfigIn(files, { id, name });
    return config === undefined ? undefined : { id, defaults: storedDefaults(config) };
  }

  async #ask(tag: string, name: string): Promise<ImageDetails> {
    try {
      const [found] = await this.#parts.cli.json(["image", "inspect", tag], ImageInspectAnswer, {
        doing: `read image "${name}"`,
      });
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
