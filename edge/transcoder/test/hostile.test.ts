import { create } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { random } from "./random.ts";
import { ask, harness } from "./transcoder-fixture.ts";

const BODIES = [
  '{"text":"a","nested":{"text":"b","deeper":{"big":"5"}},"labels":{"a":"b"},"numbers":[1,2]}',
  '{"value":{"a":[1,2.5,null,{"b":"c"}]},"struct":{"x":1e3}}',
  '{"any":{"@type":"x/google.protobuf.Duration","value":"1s"},"nothing":null,"values":[null]}',
  '{"time":"2026-01-31T12:00:00Z","duration":"1.5s","mask":"text","kind":"NOVEL","data":"YQ=="}',
  '{"wrappedInt64":"1","wrappedFlag":true,"chosenNested":{"left":"x"},"authors":{"1":{}},"flags":{"true":1}}',
];
const TARGETS = [
  "/v1/everything",
  "/v1/everything?text=a&numbers=1&nested.text=b",
  "/v1/by/1/NOVEL/YQ/true/a%20b",
  "/v1/shelves/1/books?bookId=x",
  "/v1/shelves/1/books/2:cancel",
  "/v1/shelves/1/books:watch",
];
const SIGNS = [
  '"',
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  "null",
  "1e9",
  "-",
  "\\u",
  "\\",
  "\ud800",
  "\u0000",
  "%",
  "%ff",
  "/",
  "&",
  "=",
  ".",
];

test("10,000 mutated requests are answered, by nothing else than 2xx and 4xx", async () => {
  const { transcoder } = harness(({ method, requests }) =>
    method.input === method.output ? requests.slice(0, 1) : [create(method.output)],
  );
  const counts = new Map<number, number>();
  for (let seed = 1; seed <= 10_000; seed++) {
    const pick = random(seed);
    const mutate = (text: string) => {
      const at = pick(text.length + 1);
      return text.slice(0, at) + (SIGNS[pick(SIGNS.length)] ?? "") + text.slice(at + pick(3));
    };
    const target = TARGETS[pick(TARGETS.length)] ?? "/";
    const body = BODIES[pick(BODIES.length)] ?? "{}";
    const line = `${["GET", "POST"][pick(2)]} ${pick(2) === 0 ? target : mutate(target)}`;
    const sent = line.startsWith("GET") ? undefined : mutate(body);
    const { status } = await ask(transcoder, line, { body: sent });
    counts.set(status, (counts.get(status) ?? 0) + 1);
    if (status >= 500) throw new Error(`seed ${seed}: ${status} for ${line} ${sent}`);
  }
  expect(counts.get(200)).toBeGreaterThan(1_000);
  expect([...counts.keys()].toSorted((one, other) => one - other)).toEqual([200, 400, 404, 405]);
});
