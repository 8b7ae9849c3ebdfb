import { describe, expect, test } from "@jest/globals";
import { httpPermission } from "../../../src/adapters/tasks/http-permission.ts";

describe("with an empty list", () => {
  const { permits } = httpPermission([]);

  test.each([
    ...["127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.16.0.1"],
    ...[
      "172.31.255.255",
      "192.168.1.1",
      "192.0.0.1",
      "198.18.0.1",
      "224.0.0.1",
      "240.0.0.1",
      "255.255.255.255",
    ],
    ...["::", "::1", "::ffff:127.0.0.1", "::ffff:a00:1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fe80::1"],
    ...["fd00:ec2::254", "fc00::1", "ff02::1", "2001:db8::1", "2002:a00:1::", "2001::1", "100::1"],
  ])("%s is refused", (address) => {
    expect(permits("any.example", 80, address)).toBe(false);
    expect(permits(address, 443, address)).toBe(false);
  });

  test.each(["93.184.215.14", "8.8.8.8", "172.32.0.1", "2606:2800:21f:cb07::1"])("%s is open", (address) => {
    expect(permits("any.example", 80, address)).toBe(true);
    expect(permits("any.example", 443, address)).toBe(true);
  });

  test.each([22, 25, 5432, 9200, 8080])("port %i of a public address is refused", (port) => {
    expect(permits("any.example", port, "93.184.215.14")).toBe(false);
  });
});

describe("with a list", () => {
  const { permits } = httpPermission([
    "127.0.0.1:9000",
    "Intra.Example:8080",
    "10.1.0.0/16",
    "fd00:1::/32",
    "[::1]:9000",
  ]);

  test.each([
    ["127.0.0.1", 9000, "127.0.0.1"],
    ["intra.example", 8080, "192.168.0.9"],
    ["intra.example.", 8080, "192.168.0.9"],
    ["other.example", 5000, "10.1.200.3"],
    ["other.example", 5000, "fd00:1::7"],
    ["[::1]", 9000, "::1"],
  ])("%s:%i at %s is open", (host, port, address) => {
    expect(permits(host, port, address)).toBe(true);
  });

  test.each([
    ["127.0.0.1", 9001, "127.0.0.1"],
    ["localhost", 9000, "127.0.0.1"],
    ["intra.example", 80, "192.168.0.9"],
    ["evil.intra.example", 8080, "192.168.0.9"],
    ["other.example", 5000, "10.2.0.1"],
  ])("%s:%i at %s stays refused", (host, port, address) => {
    expect(permits(host, port, address)).toBe(false);
  });
});

test.each([
  "localhost",
  "localhost:0",
  "localhost:70000",
  "10.0.0.0/33",
  "10.0.0/8",
  "::1:80",
  "a/8",
  "http://a:80",
])("the entry %s stops the start and is named", (entry) => {
  expect(() => httpPermission([entry])).toThrow(entry);
});
