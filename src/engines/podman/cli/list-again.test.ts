import { expect, test } from "vitest";
import { StowageError } from "../../../errors/index.ts";
import { listAgain } from "./list-again.ts";

/** A list that fails so often before it comes about. */
function listAfter(failures: readonly StowageError[]): () => Promise<string> {
  const left = [...failures];
  return async () => {
    const failure = left.shift();
    if (failure !== undefined) throw failure;
    return "the list";
  };
}

test.each([
  "podman images says: image not known",
  "podman ps says: determining buildah container for container 9648: container not known",
  'podman ps says: no container with ID "9648" found in database: no such container',
  "podman pod ps says: no such pod",
])("listAgain() lists again where one went meanwhile: %s", async (reason) => {
  const vanished = new StowageError(`Cannot list: ${reason}`, { code: "unavailable" });
  expect(await listAgain(listAfter([vanished, vanished]))).toBe("the list");
  const never = Array.from({ length: 9 }, () => vanished);
  await expect(listAgain(listAfter(never))).rejects.toBe(vanished);
});

test("listAgain() does not ask again after any other failure", async () => {
  const broken = new StowageError("Cannot list: no", { code: "internal" });
  await expect(listAgain(listAfter([broken]))).rejects.toBe(broken);
});
