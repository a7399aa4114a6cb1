import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { archiveLayout, busyboxImage } from "../../scripts/lib/make-image.ts";
import { type PrivatePodman, privatePodman } from "../../scripts/lib/private-podman.ts";
import { ImagesAnswer, type ListedImage } from "../../src/engines/podman/cli/answers.ts";
import {
  imageConfigFiles,
  imageConfigIn,
  imageListFiles,
  imagesIn,
} from "../../src/engines/podman/store/stored-images.ts";
import { openLocalHost } from "../../src/host/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";

describeWithEngine("podman", "images by the files of a store", (engine) => {
  let folder = "";
  let podman: PrivatePodman;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "stw-store-"));
    podman = privatePodman(folder, engine.address);
  });
  afterAll(() => podman.remove());

  const byFiles = async (): Promise<readonly ListedImage[] | undefined> => {
    await using host = openLocalHost();
    return imagesIn((await host.snapshot({ files: imageListFiles(podman.config.root) })).files);
  };
  /** Of each image once: older versions list it once a name. */
  const byPodman = (): readonly ListedImage[] => {
    const listed = ImagesAnswer.parse(
      JSON.parse(podman.run("images", "--no-trunc", "--format", "json")),
    );
    return [...new Map(listed.map((image) => [image.Id, image])).values()];
  };
  const inOrder = (images: readonly ListedImage[] | undefined) =>
    images
      ?.map((image) => ({
        ...image,
        Names: image.Names.toSorted(),
        RepoDigests: image.RepoDigests.toSorted(),
      }))
      .toSorted((a, b) => (a.Id < b.Id ? -1 : 1));

  test("are what podman lists, whatever their names and layers are", async () => {
    expect(await byFiles()).toBeUndefined();
    expect(byPodman()).toEqual([]);
    expect(await byFiles()).toEqual([]);
    for (const at of [1, 2]) {
      const layers = [new Map([["/etc/which", { content: `${at}` }]])].slice(0, at - 1);
      const reference = `localhost/image-${at}:1`;
      const out = join(folder, `image-${at}`);
      const image = busyboxImage({ out, reference, programs: [], layers });
      const archive = join(folder, `image-${at}.tar`);
      await archiveLayout(image.layout, archive);
      podman.run("load", "--input", archive);
    }
    const [first, second] = byPodman().map(({ Id }) => Id);
    podman.run("tag", first ?? "", "example.test:5000/team/app:1.0", "example.test/other");
    podman.run("untag", second ?? "");
    const listed = byPodman();
    expect(listed.map(({ Names }) => Names.length).toSorted()).toEqual([0, 3]);
    expect(listed.every(({ Size }) => Size > 0)).toBe(true);
    expect(inOrder(await byFiles())).toEqual(inOrder(listed));
    podman.run("rmi", "--all", "--force");
    expect(await byFiles()).toEqual([]);
  });

  test("have the config that podman tells of, under their own names alone", async () => {
    for (const at of [1, 2]) {
      const reference = `localhost/config-${at}:1`;
      const out = join(folder, `config-${at}`);
      const config = { env: { WHICH: `${at}` }, cmd: ["sleep", `${at}`], user: "7:8" };
      const image = busyboxImage({ out, reference, programs: [], config });
      const archive = join(folder, `config-${at}.tar`);
      await archiveLayout(image.layout, archive);
      podman.run("load", "--input", archive);
    }
    const idOf = (name: string) =>
      podman.run("image", "inspect", "--format", "{{.Id}}", name).trim();
    const [id, other] = ["localhost/config-1:1", "localhost/config-2:1"].map(idOf) as [
      string,
      string,
    ];
    await using host = openLocalHost();
    const files = async (of: string) => {
      const wanted = imageConfigFiles(podman.config.root, of);
      return new Map((await host.snapshot({ files: wanted })).files);
    };
    const name = "localhost/config-1:1";
    const found = imageConfigIn(await files(id), { id, name });
    const told = podman.run("image", "inspect", "--format", "{{json .Config}}", name);
    expect(found?.config).toMatchObject(JSON.parse(told));
    expect(found?.config).toMatchObject({ Cmd: ["sleep", "1"], User: "7:8" });
    // another image's, one of nobody's, and bytes that somebody changed
    expect(imageConfigIn(await files(other), { id: other, name })).toBeUndefined();
    expect(imageConfigIn(await files(id), { id, name: "localhost/gone:1" })).toBeUndefined();
    const spoilt = [...(await files(id))].map(([path, text]): [string, string] => [
      path,
      `${text}`.replaceAll("WHICH", "OTHER"),
    ]);
    expect(imageConfigIn(new Map(spoilt), { id, name })).toBeUndefined();
    podman.run("tag", other, name);
    expect(imageConfigIn(await files(id), { id, name })).toBeUndefined();
    podman.run("rmi", "--all", "--force");
  });
});
