import { expect, test } from "vitest";
import { parseGroup, parsePasswd } from "./account-files.ts";
import { resolveAccount } from "./resolve-account.ts";

const accounts = {
  passwd: parsePasswd(
    "root:x:0:0::/root:/bin/sh\n# a remark\nbroken\n:x:5:5::\nbad:x:many:5::\napp:x:1234:4321::/:/bin/sh\n",
  ),
  groups: parseGroup(
    "root:x:0:\nwheel:x:10:root,app\napp:x:4321:\nextra:x:777:app,other\nhuge:x:4294967295:app\n",
  ),
};

test.each([
  ["", { uid: 0, gid: 0, additionalGids: [10] }],
  ["root", { uid: 0, gid: 0, additionalGids: [10] }],
  ["app", { uid: 1234, gid: 4321, additionalGids: [10, 777] }],
  ["1234", { uid: 1234, gid: 4321, additionalGids: [10, 777] }],
  ["app:extra", { uid: 1234, gid: 777, additionalGids: [] }],
  ["app:5", { uid: 1234, gid: 5, additionalGids: [] }],
  ["99", { uid: 99, gid: 0, additionalGids: [] }],
  ["99:98", { uid: 99, gid: 98, additionalGids: [] }],
  [":extra", { uid: 0, gid: 777, additionalGids: [] }],
  ["2147483647", { uid: 2147483647, gid: 0, additionalGids: [] }],
])("user %j is resolved by the image's files", (user, expected) => {
  expect(resolveAccount(accounts, user)).toEqual(expected);
});

test.each(["nobody", "app:nogroup", "bad", "-1", "2147483648", "1.5", "app:" + "4294967295"])(
  "user %j, which the image does not have, is refused",
  (user) => {
    expect(() => resolveAccount(accounts, user)).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  },
);

test("additional groups are added by name or number, each once", () => {
  expect(resolveAccount(accounts, "app", ["extra", "5", "root"]).additionalGids).toEqual([
    0, 5, 10, 777,
  ]);
  expect(() => resolveAccount(accounts, "app", ["nope"])).toThrow('Cannot resolve group "nope"');
});
