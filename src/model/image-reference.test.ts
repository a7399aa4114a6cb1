import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  familiarImageReference,
  isImageReference,
  parseImageReference,
} from "./image-reference.ts";

const HEX = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a";
const SHA256 = `sha256:${HEX}`;

describe("parseImageReference() accepts", () => {
  test.each([
    ["nginx", "docker.io/library/nginx:latest"],
    ["nginx:1.27", "docker.io/library/nginx:1.27"],
    [`nginx@${SHA256}`, `docker.io/library/nginx@${SHA256}`],
    [`nginx:1.27@${SHA256}`, `docker.io/library/nginx:1.27@${SHA256}`],
    ["acme/shop", "docker.io/acme/shop:latest"],
    ["docker.io/nginx", "docker.io/library/nginx:latest"],
    ["index.docker.io/nginx", "docker.io/library/nginx:latest"],
    ["index.docker.io/acme/shop", "docker.io/acme/shop:latest"],
    ["localhost/shop", "localhost/shop:latest"],
    ["localhost", "docker.io/library/localhost:latest"],
    ["LOCALDOMAIN/shop", "LOCALDOMAIN/shop:latest"],
    ["Docker/docker", "Docker/docker:latest"],
    ["example.test/shop:Upper_1.x-y", "example.test/shop:Upper_1.x-y"],
    ["shop:5000/a/b/c:5050", "shop:5000/a/b/c:5050"],
    ["192.168.0.1", "docker.io/library/192.168.0.1:latest"],
    ["192.168.0.1:80", "docker.io/library/192.168.0.1:80"],
    ["192.168.0.1:8/debian", "192.168.0.1:8/debian:latest"],
    ["[fc00::1]:5000/shop", "[fc00::1]:5000/shop:latest"],
    ["[2001:db8:1:2:3:4:5:6]/repo:tag", "[2001:db8:1:2:3:4:5:6]/repo:tag"],
    ["xn--n3h.test/myimage", "xn--n3h.test/myimage:latest"],
    ["foo_bar.com:8080", "docker.io/library/foo_bar.com:8080"],
    ["docker---rules/d__k.e-r", "docker.io/docker---rules/d__k.e-r:latest"],
    [`docker.io/${HEX}`, `docker.io/library/${HEX}:latest`],
    [`a:${"t".repeat(128)}`, `docker.io/library/a:${"t".repeat(128)}`],
    [`example.test/${"a".repeat(255)}`, `example.test/${"a".repeat(255)}:latest`],
    [`a@sha512:${HEX}${HEX}`, `docker.io/library/a@sha512:${HEX}${HEX}`],
  ])("%s as %s", (text, canonical) => {
    expect(parseImageReference(text).canonical).toBe(canonical);
  });
});

describe("parseImageReference() refuses", () => {
  test.each([
    ["", "it is empty"],
    [" nginx", "white space"],
    ["nginx\n", "white space"],
    [HEX, "image id"],
    ["https://github.com/docker/docker", "URL scheme"],
    ["docker/Docker", 'repository name "docker/Docker" holds upper case; write "docker/docker"'],
    ["Uppercase:tag", 'write "uppercase"'],
    ["test:5000/Uppercase/lower", "holds upper case"],
    ["-docker", 'the part "-docker"'],
    ["docker-/docker", 'the part "docker-"'],
    ["-docker.io/a/b", 'its domain "-docker.io"'],
    ["a_b.c/d", 'its domain "a_b.c"'],
    ["a_-b", 'the part "a_-b"'],
    ["a___b", 'the part "a___b"'],
    ["dock..er/a", 'its domain "dock..er"'],
    ["a/dock..er", 'the part "dock..er"'],
    ["a/dock_.er", 'the part "dock_.er"'],
    ["____/____", 'the part "____"'],
    ["a//b", "a part of its path is empty"],
    ["a/", "a part of its path is empty"],
    ["/a", "a part of its path is empty"],
    ["docker.io/a///b", "a part of its path is empty"],
    ["example.test/", "it has no repository name"],
    ["docker.io/", "it has no repository name"],
    [":justtag", "it has no repository name"],
    [`@${SHA256}`, "it has no repository name"],
    ["aa/asdf$$^/aa", 'the part "asdf$$^"'],
    ["nginx:", "its tag is empty"],
    ["nginx:.a", 'its tag ".a"'],
    ["nginx:-a", 'its tag "-a"'],
    ["nginx:a:b", 'its tag "a:b"'],
    [`nginx:${"t".repeat(129)}`, "its tag has 129 characters; use at most 128"],
    ["nginx@", 'its digest ""'],
    ["nginx@latest", 'its digest "latest"'],
    ["nginx@1sha:abc", "digest"],
    [`nginx@md5:${HEX}`, 'algorithm "md5" is not known'],
    [`nginx@SHA256:${HEX}`, 'algorithm "SHA256" is not known'],
    ["nginx@sha256:abc", "has 3 characters; write all 64"],
    [`nginx@sha256:${HEX.toUpperCase()}`, "lower case hexadecimal"],
    [`nginx@sha256:${"g".repeat(64)}`, "lower case hexadecimal"],
    [`nginx@${SHA256}:tag`, "characters"],
    [`nginx@${SHA256}@${SHA256}`, "characters"],
    ["[fc00::1]", "is not valid"],
    ["[fc00::1]:5000", "not valid"],
    ["fc00::1:5000/debian", 'its domain "fc00::1:5000"'],
    ["[fe80::1%eth0]:5000/debian", "without a zone"],
    ["[2001:db8::192.0.2.33]:5000/debian", "its domain"],
    ["host:port/debian", 'its domain "host:port"'],
    [`example.test/${"a".repeat(256)}`, "its path has 256 characters; use at most 255"],
    ["münchen/a", 'the part "münchen"'],
  ])("%j because %s", (text, reason) => {
    let message = "";
    try {
      parseImageReference(text);
    } catch (error) {
      expect(error).toMatchObject({ name: "StowageError", code: "invalid_argument" });
      message = (error as Error).message;
    }
    expect(message).toContain(reason);
    expect(message).toMatch(/^Cannot parse image reference ".*": .+; .+[^.]$/s);
    expect(isImageReference(text)).toBe(false);
  });
});

test("parseImageReference() keeps domain, path, tag and digest apart", () => {
  expect(parseImageReference(`shop:5000/a/b:1@${SHA256}`)).toEqual({
    domain: "shop:5000",
    path: "a/b",
    repository: "shop:5000/a/b",
    tag: "1",
    digest: SHA256,
    canonical: `shop:5000/a/b:1@${SHA256}`,
  });
  expect(parseImageReference(`a/b@${SHA256}`)).not.toHaveProperty("tag");
});

test.each([
  ["docker.io/library/nginx:1", "nginx:1"],
  ["docker.io/acme/shop", "acme/shop:latest"],
  ["docker.io/library/a/b", "library/a/b:latest"],
  ["docker.io/localhost/a", "docker.io/localhost/a:latest"],
  ["docker.io/b.test/a", "docker.io/b.test/a:latest"],
  ["localhost/library/a", "localhost/library/a:latest"],
  [`nginx@${SHA256}`, `nginx@${SHA256}`],
])("familiarImageReference() shows %s as %s", (text, familiar) => {
  expect(familiarImageReference(parseImageReference(text))).toBe(familiar);
});

const atom = fc.stringMatching(/^[a-z0-9]{1,6}$/);
const component = fc
  .tuple(
    atom,
    fc.array(fc.tuple(fc.constantFrom(".", "_", "__", "-", "---"), atom), { maxLength: 2 }),
  )
  .map(([first, more]) => first + more.flat().join(""));
const domain = fc.oneof(
  fc.constantFrom("localhost", "docker.io", "[::1]", "[fc00::1]:5000", "10.0.0.1:5000", "HOST"),
  fc.tuple(atom, atom, fc.integer({ min: 1, max: 65535 })).map(([a, b, p]) => `${a}.${b}:${p}`),
);
const reference = fc
  .record({
    domain: fc.option(domain, { nil: undefined }),
    path: fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined }),
    digest: fc.option(fc.stringMatching(/^[a-f0-9]{64}$/), { nil: undefined }),
  })
  .map((part) =>
    [
      part.domain === undefined ? "" : `${part.domain}/`,
      part.path,
      part.tag === undefined ? "" : `:${part.tag}`,
      part.digest === undefined ? "" : `@sha256:${part.digest}`,
    ].join(""),
  );

test("the canonical and the familiar form parse to the same reference", () => {
  fc.assert(
    fc.property(reference, (text) => {
      // a first path component with a dot reads as a domain and may be none
      fc.pre(isImageReference(text));
      const parsed = parseImageReference(text);
      expect(parseImageReference(parsed.canonical)).toEqual(parsed);
      expect(parseImageReference(familiarImageReference(parsed))).toEqual(parsed);
    }),
  );
});

test("any text parses or is refused with invalid_argument", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
      expect([true, false]).toContain(isImageReference(text));
    }),
  );
});
