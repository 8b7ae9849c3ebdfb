import { describe, expect, test } from "@jest/globals";
import type { Filter } from "../../../src/domain/query/filter.ts";
import { describeProblem } from "../../../src/domain/query/query-problem.ts";
import { readQuery } from "../../../src/domain/query/read-query.ts";

const NOW_MS = Date.parse("2026-11-21T10:00:00Z");
const DAY_MS = 86_400_000;
const TODAY_MS = Date.parse("2026-11-21T00:00:00Z");

function read(q: string, searched: "jobs" | "events" = "jobs"): Filter {
  const reading = readQuery(q, { searched, nowMs: NOW_MS });
  if ("problem" in reading) throw new Error(`${q}: ${reading.problem.message}`);
  return reading.filter;
}
const oneOf = (field: string, ...values: string[]) => ({ is: "one of", field, values });
const within = (field: string, from?: number, below?: number) => ({ is: "within", field, from, below });

describe("what a query means", () => {
  test.each<readonly [string, unknown]>([
    ["", { is: "everything" }],
    ["  ", { is: "everything" }],
    ["status:Failed", oneOf("status", "failed")],
    ["STATUS:failed,succeeded,failed", oneOf("status", "failed", "succeeded")],
    ["status:re*", oneOf("status", "retrying")],
    ["task:Video.Render", oneOf("task", "video.render")],
    ['task:"a b",c', oneOf("task", "a b", "c")],
    ["task:video.*", { is: "begins", field: "task", prefix: "video." }],
    ['task:"video.*"', oneOf("task", "video.*")],
    ["worker:*", { is: "begins", field: "worker", prefix: "" }],
    ["label.customer-id:Acme", { is: "label", key: "customer-id", value: "acme" }],
    ["tag.a.b:x*", { is: "label begins", key: "a.b", prefix: "x" }],
    ['label.k:""', { is: "label", key: "k", value: "" }],
    ["priority:5", within("priority", 5, 6)],
    ["priority:>5", within("priority", 6, undefined)],
    ["priority:>=5", within("priority", 5, undefined)],
    ["attempts:<3", within("attempt", undefined, 3)],
    ["attempt:<=3", within("attempt", undefined, 4)],
    ["maxAttempts:2..4", within("maxAttempts", 2, 5)],
    ["created:>-2h", within("created", NOW_MS - 7_200_000 + 1, undefined)],
    ["created:today", within("created", TODAY_MS, TODAY_MS + DAY_MS)],
    ["created:yesterday", within("created", TODAY_MS - DAY_MS, TODAY_MS)],
    ["created:2026-11-20", within("created", TODAY_MS - DAY_MS, TODAY_MS)],
    ["finished:2026-11-20..", within("finished", TODAY_MS - DAY_MS, undefined)],
    ["started:..2026-11-20", within("started", undefined, TODAY_MS)],
    ["created:>2026-11-20", within("created", TODAY_MS, undefined)],
    ["created:<2026-11-21T09:00:00Z", within("created", undefined, NOW_MS - 3_600_000)],
    ["duration:>30s", within("duration", 30_001, undefined)],
    ["wait:1.5s", within("wait", 1_500, 1_501)],
    ["error.type:~Time-Out", { is: "all", of: [word("e:time"), word("e:out")] }],
    ["error.message:Timeout", word("m:timeout")],
    ["error.message:~a.A.b.a", { is: "all", of: [word("m:a"), word("m:b")] }],
    [
      "label.k:~x-y-x*",
      { is: "all", of: [word("label.k:x"), word("label.k:y"), { is: "word begins", prefix: "label.k:x" }] },
    ],
    ["label.k:~x*", { is: "word begins", prefix: "label.k:x" }],
    ["-queue:bulk", { is: "not", of: oneOf("queue", "bulk") }],
    ["queue:a step:b", { is: "all", of: [oneOf("queue", "a"), oneOf("step", "b")] }],
    ["queue:a AND step:b", { is: "all", of: [oneOf("queue", "a"), oneOf("step", "b")] }],
    [
      "queue:a step:b OR -(mission:c)",
      {
        is: "any",
        of: [
          { is: "all", of: [oneOf("queue", "a"), oneOf("step", "b")] },
          { is: "not", of: oneOf("mission", "c") },
        ],
      },
    ],
  ])("%s", (q, meaning) => {
    expect(read(q)).toEqual(meaning);
  });

  test("a bare word is the beginning of an id or a word of task, error or label", () => {
    const places = ["t", "e", "m", "n", "l"].map((place) => word(`${place}:render`));
    expect(read("Render")).toEqual({
      is: "any",
      of: [
        { is: "begins", field: "id", prefix: "render" },
        { is: "any", of: places },
      ],
    });
  });

  test("event: can be asked of events", () => {
    expect(read("event:JobFailed", "events")).toEqual(oneOf("event", "jobfailed"));
  });
});

describe("what is refused, and where", () => {
  test.each<readonly [string, number, RegExp]>([
    ["statsu:failed", 0, /no field "statsu"; did you mean status\?/],
    ["colour:red", 0, /fields are id, task/],
    ["constructor:x", 0, /no field "constructor"/],
    ["status:faild", 7, /did you mean FAILED\?/],
    ["status:dead", 7, /statuses are SCHEDULED/],
    ["status:>failed", 6, /does not take ":>"/],
    ["queue:a input.customer.id:42", 8, /input\.customer\.id is not indexed/],
    ["output.x:1", 0, /not indexed/],
    ["template:a", 0, /template: cannot be searched yet/],
    ["error.fp:8c1e", 0, /fingerprints/],
    ["has:logs", 0, /has: cannot be searched yet/],
    ["is:stuck", 0, /is: cannot be searched yet: use status/],
    ["event:JobFailed", 0, /events only/],
    ["label:a", 0, /label\.KEY/],
    ["task:*render", 5, /at the end only/],
    ["task:a*b", 5, /at the end only/],
    ["task:a..b", 5, /range is for numbers/],
    ['task:""', 5, /needs a value/],
    ["task:~..", 6, /range|letter/],
    ["task:", 5, /value is missing/],
    ["task: a", 5, /value is missing/],
    ["task:a,", 7, /after the comma/],
    ['task:"a', 5, /never closed/],
    ['"a', 0, /never closed/],
    ["priority:high", 9, /not a whole number/],
    ["priority:1.5", 9, /not a whole number/],
    ["priority:..", 9, /beginning or an end/],
    ["priority:>1..2", 10, /colon alone/],
    ["priority:99999999999999999999", 9, /not a whole number/],
    ["created:-2h", 8, /created:>-2h/],
    ["created:2026-02-30", 8, /is not a time/],
    ["created:lately", 8, /is not a time/],
    ["duration:30", 9, /length of time/],
    ["(a", 0, /never closed/],
    ["a)", 1, /never opened/],
    ["()", 1, /cannot stand here/],
    ["a OR", 4, /missing at the end/],
    ["OR a", 0, /cannot stand here/],
    ["- a", 0, /directly before/],
    ["--a", 0, /directly before/],
    ["-", 0, /directly before/],
    ["NOT a", 0, /write "-"/],
    ["...", 0, /range|letter/],
    ["((((((((a))))))))", 7, /at most 7 parentheses/],
  ])("%s", (q, at, message) => {
    const reading = readQuery(q, { searched: "jobs", nowMs: NOW_MS });
    const problem = "problem" in reading ? reading.problem : undefined;
    expect(problem?.message).toMatch(message);
    expect(problem?.at).toBe(at);
  });

  test.each<readonly [string, string, number, number]>([
    ["201 values of a field", `queue:${"a,".repeat(200)}a`, 0, 201],
    ["a bare phrase of 1,023 words", `"${lettersOf(1_023)}"`, 0, 1_023],
    ["one value and a phrase of 200 words", `queue:a "${lettersOf(200)}"`, 8, 201],
    ["two phrases in fields", `error.message:"${lettersOf(150)}" OR -(task:~"${lettersOf(60)}")`, 321, 210],
  ])("%s are more than 200 values", (_what, q, at, count) => {
    const reading = readQuery(q, { searched: "jobs", nowMs: NOW_MS });
    expect(reading).toMatchObject({ problem: { at } });
    const message = "at most 200 values in one query, where a phrase counts as its words";
    const found = `here are ${count.toLocaleString("en")}`;
    expect("problem" in reading && reading.problem.message).toBe(`${message}; ${found}`);
  });

  test.each<readonly [string, string]>([
    ["a bare phrase of 200 words", `"${lettersOf(200)}"`],
    ["one word 1,023 times", `"${"a ".repeat(1_023)}"`],
    ["one value and a phrase of 199 words", `queue:a error.message:"${lettersOf(199)}"`],
    ["30 whole texts of 20 words each", `id:${`"${lettersOf(20)}",`.repeat(30)}a`],
  ])("%s are not too many values", (_what, q) => {
    expect(readQuery(q, { searched: "jobs", nowMs: NOW_MS })).toHaveProperty("filter");
  });

  test("a caret stands under what is wrong", () => {
    const reading = readQuery("queue:a statsu:x", { searched: "jobs", nowMs: NOW_MS });
    if (!("problem" in reading)) throw new Error("it was not refused");
    expect(describeProblem("queue:a statsu:x", reading.problem).split("\n")).toEqual([
      'there is no field "statsu"; did you mean status? (column 9)',
      "queue:a statsu:x",
      "        ^^^^^^",
    ]);
  });
});

/** So many words of one letter each, with a blank between them; no two are the same. */
function lettersOf(count: number): string {
  return Array.from({ length: count }, (_, index) => String.fromCodePoint(0x4e00 + index)).join(" ");
}

function word(token: string) {
  return { is: "word", token };
}

describe("a query about missions", () => {
  const about = (searched: "jobs" | "missions" | "events", query: string) =>
    readQuery(query, { searched, nowMs: NOW_MS });

  test.each([
    ["missions", "task:x", "task: can be asked of jobs and events only"],
    ["missions", "event:x", "event: can be asked of events only"],
    ["jobs", "name:x", "name: can be asked of missions and events only"],
    ["missions", "status:queued", 'there is no status "queued"'],
    ["jobs", "status:compensating", 'there is no status "compensating"'],
    ["missions", "step:~x", "only :"],
    ["missions", 'step:""', "step: needs a value"],
  ] as const)("over %s, %s is refused by name", (searched, query, why) => {
    expect(about(searched, query)).toMatchObject({
      problem: { message: expect.stringContaining(why) },
    });
  });

  test("over events takes the fields and statuses of both", () => {
    for (const query of ["name:x task:y", "status:queued,compensating", "event:MissionFailed step:z"]) {
      expect(about("events", query)).toHaveProperty("filter");
    }
  });
});
