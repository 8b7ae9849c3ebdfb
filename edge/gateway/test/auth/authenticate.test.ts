import { describe, expect, test } from "@jest/globals";
import { Fault } from "@orrery/mesh/fault/fault";
import { authenticate, requireScope } from "../../src/auth/authenticate.ts";
import type { Caller, KeyStore } from "../../src/auth/key-store.ts";

const caller: Caller = { id: "demo-all", project: "demo", scopes: ["read"] };
const keys: KeyStore = { find: (secret) => (secret === "orr_abc-123" ? caller : undefined) };
const headers = (given: Record<string, string>) => (name: string) => given[name];
const reasonOf = (action: () => unknown) => {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof Fault ? error.reason : error;
  }
};

describe("authentication", () => {
  test.each(["Bearer orr_abc-123", "bearer orr_abc-123", "BEARER   orr_abc-123"])(
    "%s names the caller",
    (authorization) => {
      expect(authenticate(keys, headers({ authorization }))).toBe(caller);
    },
  );

  test.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Basic b3JyX2FiYy0xMjM=",
    "orr_abc-123",
    "Bearer orr_abc-123 more",
    "Bearer orr_abc-123,Bearer x",
    "Bearer orr_unknown",
    "Bearer eyJhbGciOiJub25lIn0.e30.",
    `Bearer ${"a".repeat(5_000)}`,
    "Bearer \u00e9",
  ])("%s is no credential", (authorization) => {
    const given = authorization === undefined ? {} : { authorization };
    expect(reasonOf(() => authenticate(keys, headers(given)))).toBe("UNAUTHENTICATED");
  });

  test("a key opens its own project and no other", () => {
    const authorization = "Bearer orr_abc-123";
    expect(authenticate(keys, headers({ authorization, "orrery-project": "demo" }))).toBe(caller);
    const other = headers({ authorization, "orrery-project": "second" });
    expect(reasonOf(() => authenticate(keys, other))).toBe("PROJECT_FORBIDDEN");
  });

  test("a scope that the key lacks is refused by name, admin or not", () => {
    expect(reasonOf(() => requireScope(caller, "read"))).toBeUndefined();
    expect(reasonOf(() => requireScope({ ...caller, scopes: ["admin"] }, "read"))).toBe("SCOPE_MISSING");
    expect(() => requireScope(caller, "submit")).toThrow(/'submit'/);
  });
});
