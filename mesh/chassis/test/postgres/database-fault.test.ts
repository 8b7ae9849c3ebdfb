import { describe, expect, test } from "@jest/globals";
import pg from "pg";
import { Fault } from "../../src/fault/fault.ts";
import {
  commitUnknown,
  connectionSurvives,
  databaseFault,
  lostAgainstAnother,
  sqlState,
} from "../../src/postgres/database-fault.ts";

function refusal(code: string, fields: Partial<pg.DatabaseError> = {}): pg.DatabaseError {
  const error = new pg.DatabaseError(`relation "secret" says ${code}`, 1, "error");
  return Object.assign(error, { code, ...fields });
}

describe("a failure of the database", () => {
  test.each([
    ["57014", "DEADLINE_EXCEEDED"],
    ["08006", "DEPENDENCY_UNAVAILABLE"],
    ["28P01", "DEPENDENCY_UNAVAILABLE"],
    ["3D000", "DEPENDENCY_UNAVAILABLE"],
    ["40001", "DEPENDENCY_UNAVAILABLE"],
    ["40P01", "DEPENDENCY_UNAVAILABLE"],
    ["53100", "DEPENDENCY_UNAVAILABLE"],
    ["53300", "DEPENDENCY_UNAVAILABLE"],
    ["55P03", "DEPENDENCY_UNAVAILABLE"],
    ["57P01", "DEPENDENCY_UNAVAILABLE"],
    ["57P03", "DEPENDENCY_UNAVAILABLE"],
    ["58030", "DEPENDENCY_UNAVAILABLE"],
    ["23505", "INTERNAL"],
    ["42501", "INTERNAL"],
    ["42P01", "INTERNAL"],
  ])("with SQLSTATE %s is %s, and keeps the driver's words to itself", (code, reason) => {
    const fault = databaseFault(refusal(code));
    expect(fault.reason).toBe(reason);
    expect(fault.message).not.toContain("secret");
    expect(fault.retryAfterMs).toBe(reason === "DEPENDENCY_UNAVAILABLE" ? 1_000 : undefined);
    expect(sqlState(fault)).toBe(code);
  });

  test("without a SQLSTATE is a connection that broke", () => {
    expect(databaseFault(new Error("Connection terminated unexpectedly")).reason).toBe(
      "DEPENDENCY_UNAVAILABLE",
    );
    expect(databaseFault(new Error("read ECONNRESET"), true).reason).toBe("DEADLINE_EXCEEDED");
    expect(connectionSurvives(new Error("read ECONNRESET"))).toBe(false);
  });

  test("leaves a fault as it is", () => {
    const fault = new Fault("LEASE_LOST", { detail: "lost" });
    expect(databaseFault(fault)).toBe(fault);
    expect(sqlState(fault)).toBeUndefined();
  });

  test("is run again only after a deadlock or a serialization failure", () => {
    const again = ["40001", "40P01", "23505", "57P01"].map((code) =>
      lostAgainstAnother(databaseFault(refusal(code))),
    );
    expect(again).toEqual([true, true, false, false]);
    expect(lostAgainstAnother(commitUnknown(new Error("gone")))).toBe(false);
  });

  test("costs the connection when the server ended it, and not otherwise", () => {
    const survives = ["57P01", "25P03", "08006", "23505", "57014"].map((code) =>
      connectionSurvives(refusal(code)),
    );
    expect(survives).toEqual([false, false, false, true, true]);
  });
});
