import { describe, expect, test } from "@jest/globals";
import { Problem } from "../../src/api/problem.ts";
import { queryFault } from "../../src/domain/query-fault.ts";
import { droppableTerms, hasTerm, quoted, toggleTerm } from "../../src/domain/query-terms.ts";

const refused = (detail: string, reason = "INVALID_QUERY") =>
  new Problem({ status: 400, title: "no", detail, reason });

describe("a refused query", () => {
  test("is shown at its column, with what was probably meant", () => {
    const fault = queryFault(
      refused(
        'there is no field "stauts"; did you mean status? (column 8)\ntask:a stauts:failed\n       ^^^^^^',
      ),
    );
    expect(fault).toMatchObject({ column: 8, before: "task:a ", wrong: "stauts", after: ":failed" });
    expect(fault?.meant).toBe("task:a status:failed");
  });

  test("that ends too early points behind its end", () => {
    expect(queryFault(refused("a value is missing (column 6)\ntask:\n     ^"))).toMatchObject({
      before: "task:",
      wrong: "",
      meant: undefined,
    });
  });

  test("is no other problem", () => {
    expect(queryFault(refused("x", "PROJECTION_BEHIND"))).toBeUndefined();
  });
});

describe("terms", () => {
  test("are told apart with their quotes", () => {
    expect(droppableTerms('a label.x:"two words" -queue:b')).toEqual([
      "a",
      'label.x:"two words"',
      "-queue:b",
    ]);
    expect(hasTerm("status:failed,lost", "status:failed")).toBe(false);
  });

  test("cannot be dropped one by one where brackets or words join them", () => {
    expect(droppableTerms("a OR b")).toEqual([]);
    expect(droppableTerms("(a b)")).toEqual([]);
  });

  test("are put in and taken out", () => {
    expect(toggleTerm("a", "b")).toBe("a b");
    expect(toggleTerm("a b", "a")).toBe("b");
  });

  test.each([
    ["plain", "plain"],
    ["two words", '"two words"'],
    ['say "hi"\\', '"say \\"hi\\"\\\\"'],
    ["a,b", '"a,b"'],
    ["1..5", '"1..5"'],
    ["order.fulfil-2", "order.fulfil-2"],
  ])("the value %s is written %s", (value, text) => {
    expect(quoted(value)).toBe(text);
  });
});
