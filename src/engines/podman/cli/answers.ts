import * as z from "zod";
import { listOf } from "./parse-answer.ts";

const Text = z.string();
const Int = z.number();
const Labels = z
  .record(Text, Text)
  .nullish()
  .transform((labels) => labels ?? {});
const Strings = z
  .array(Text)
  .nullish()
  .transform((list) => list ?? []);

/** `podman ps -a --external --pod --format json`. */
export const PsAnswer = listOf(
  z.object({
    Id: Text,
    Names: Strings,
    State: Text,
    Labels,
    ImageID: z.string().default(""),
    IsInfra: z.boolean().default(false),
    Pod: z.string().default(""),
    PodName: z.string().default(""),
  }),
);
/** A container as the list has it. */
export type ListedContainer = z.infer<typeof PsAnswer>[number];

/** `podman pod ps --format json`. */
export const PodPsAnswer = listOf(
  z.object({ Id: Text, Name: Text, InfraId: z.string().default(""), Labels }),
);
/** A podman pod as the list has it. */
export type ListedPod = z.infer<typeof PodPsAnswer>[number];

/** `podman images --format json`; 4.3 prints an image once a name. */
export const ImagesAnswer = listOf(
  z.object({
    Id: Text,
    Names: Strings,
    RepoDigests: Strings,
    Digest: z.string().default(""),
    Size: Int,
  }),
);
/** An image as the list has it. */
export type ListedImage = z.infer<typeof ImagesAnswer>[number];

/** `podman image inspect NAME`. */
export const ImageInspectAnswer = z
  .array(
    z.object({
      Id: Text,
      Config: z.object({
        Env: Strings,
        Entrypoint: Strings,
        Cmd: Strings,
        WorkingDir: z.string().optional(),
        User: z.string().optional(),
        StopSignal: z.string().optional(),
      }),
    }),
  )
  .length(1);

const State = z.object({
  Status: Text,
  Pid: Int.default(0),
  ConmonPid: Int.default(0),
  ExitCode: Int.default(0),
  StartedAt: Text,
  FinishedAt: Text,
  CgroupPath: z.string().default(""),
});

/** `podman container inspect ID...`. */
export const InspectAnswer = z.array(
  z.object({
    Id: Text,
    Name: Text,
    Image: Text,
    RestartCount: Int.default(0),
    IsInfra: z.boolean().default(false),
    Pod: z.string().default(""),
    Path: z.string().default(""),
    Args: Strings,
    OCIRuntime: z.string().default(""),
    State,
    BoundingCaps: Strings,
    Dependencies: Strings,
    Config: z.object({
      Hostname: z.string().default(""),
      Env: Strings,
      User: z.string().default(""),
      WorkingDir: z.string().default(""),
      CreateCommand: Strings,
      Labels,
      // a number on 4.3, a name from 5.0 on
      StopSignal: z.union([Text, Int]).nullish(),
    }),
    Mounts: z
      .array(z.object({ Destination: Text, RW: z.boolean() }))
      .nullish()
      .transform((list) => list ?? []),
    HostConfig: z.object({
      LogConfig: z.object({ Type: Text, Path: z.string().default("") }),
      NetworkMode: z.string().default(""),
      CgroupParent: z.string().default(""),
      RestartPolicy: z.object({ Name: Text, MaximumRetryCount: Int.default(0) }),
      OomScoreAdj: Int.default(0),
      Privileged: z.boolean().default(false),
      ReadonlyRootfs: z.boolean().default(false),
      SecurityOpt: Strings,
      ShmSize: Int.default(0),
      Tmpfs: z
        .record(Text, Text)
        .nullish()
        .transform((tmpfs) => tmpfs ?? {}),
      Ulimits: z
        .array(z.object({ Name: Text, Soft: Int, Hard: Int }))
        .nullish()
        .transform((list) => list ?? []),
    }),
  }),
);
/** A container in all its detail. */
export type InspectedContainer = z.infer<typeof InspectAnswer>[number];
