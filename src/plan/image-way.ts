import {
  type CapabilityTable,
  capabilityOf,
  type EngineInfo,
  type HostSpec,
} from "../model/index.ts";
import type { HostObservation, ImageResolution } from "./plan-input.ts";

/** Who gets an image that a host lacks, and why it is not who would be asked first. */
export type ImageWay =
  | {
      /** Absent: both are one machine. */
      readonly by?: "host" | "controller";
      /** Whether it is sent where the host cannot get it. */
      readonly orSent?: true;
      /** Why the host does not ask for it itself, though nobody declared that it does not. */
      readonly because?: string;
    }
  /** Nobody: why not, and what to do. */
  | { readonly refused: string; readonly instead: string };

/** The way of an image of a registry, or of this machine's disk, to a host that has not got it in any engine. */
export function imageWay(
  spec: Pick<HostSpec, "address" | "pull">,
  { info, capabilities }: Pick<HostObservation, "info" | "capabilities">,
  { ofRegistry }: Extract<ImageResolution, { readonly kind: "resolved" }>,
): ImageWay {
  const { address, pull } = spec;
  if (pull === "never")
    return {
      refused: "it has to be on the host already (pull: never), and it is not",
      instead: "bring it there with stowage push, or declare pull: host or controller",
    };
  const cannot = whyNot(capabilities, info);
  if (pull === "host" && cannot !== undefined)
    return { refused: cannot.reason, instead: cannot.instead };
  if (address === "local") return {};
  if (pull === "controller" || ofRegistry !== true) return { by: "controller" };
  if (cannot !== undefined) return { by: "controller", because: cannot.reason };
  return { by: "host", ...(pull === undefined ? { orSent: true } : {}) };
}

function whyNot(
  table: CapabilityTable,
  { kind, version }: EngineInfo,
): { readonly reason: string; readonly instead: string } | undefined {
  const { support, reason, instead } = capabilityOf(table, "pull", "host");
  if (support !== "unsupported") return undefined;
  return {
    reason: `${kind} ${version} cannot get an image itself${reason === undefined ? "" : `: ${reason}`}`,
    instead: instead ?? "declare pull: controller, or nothing",
  };
}
