import { create, fromJson } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { requireValid, validateMessage } from "../../src/transport/validation.ts";
import { ItemSchema, NoteSchema } from "./echo-contract.ts";

const note = (json: object): ReturnType<typeof fromJson<typeof NoteSchema>> =>
  fromJson(NoteSchema, json as never);
const RANGE = "must be greater than or equal to 0 and less than or equal to 100";
const UNSAFE = "must not hold U+0000 or half of a surrogate pair";

test.each([0, 100])("the limit %i itself is allowed", (maxCount) => {
  expect(validateMessage(NoteSchema, note({ items: [{ maxCount }] }))).toEqual([]);
});

test.each([-1, 101])(
  "%i beyond the limit is refused, by its path below the prefix, with the limits",
  (maxCount) => {
    const broken = note({ items: [{}, {}, {}, { maxCount }] });
    expect(validateMessage(NoteSchema, broken)).toEqual([{ field: "items[3].maxCount", description: RANGE }]);
    expect(validateMessage(NoteSchema, broken, "notes[7]")).toEqual([
      { field: "notes[7].items[3].maxCount", description: RANGE },
    ]);
  },
);

test("a rule over a whole message is told of the field that it reads last", () => {
  const broken = { word: "none", maxCount: 1 };
  const description = "maxCount has nothing to count where word is none";
  const below = note({ items: [{}, broken] });
  expect(validateMessage(ItemSchema, create(ItemSchema, broken))).toEqual([
    { field: "maxCount", description },
  ]);
  expect(validateMessage(ItemSchema, create(ItemSchema, broken), "items[3]")).toEqual([
    { field: "items[3].maxCount", description },
  ]);
  expect(validateMessage(NoteSchema, below)).toEqual([{ field: "items[1].maxCount", description }]);
});

test.each([
  ["a text", { text: "a\0b" }, "text"],
  ["half a pair", { text: "\ud83d" }, "text"],
  ["a text in a list", { items: [{}, { word: "\0" }] }, "items[1].word"],
  ["a map's value", { labels: { a: "\0" } }, 'labels["a"]'],
  ["a map's key", { labels: { "a\0": "b" } }, 'labels["a\\u0000"]'],
])("%s that no database can keep is refused", (_what, json, field) => {
  expect(validateMessage(NoteSchema, create(NoteSchema, json))).toEqual([{ field, description: UNSAFE }]);
});

test("a free JSON value may hold any text, and whole surrogate pairs are fine everywhere", () => {
  expect(validateMessage(NoteSchema, note({ text: "😀", free: { "k\0": ["\0"] } }))).toEqual([]);
});

test("what the contract leaves to its handler is not judged with the message that carries it", () => {
  const broken = { word: "\0", maxCount: 101 };
  const carrier = create(NoteSchema, { apart: broken, eachApart: [broken] });
  expect(validateMessage(NoteSchema, carrier)).toEqual([]);
});

test("a refusal names the first field in its detail and all of them beside it", () => {
  const broken = note({ items: [{ maxCount: 101 }, { maxCount: 102 }] });
  expect(() => requireValid(NoteSchema, broken)).toThrow(`items[0].maxCount: ${RANGE} (and 1 more)`);
  expect(() => requireValid(NoteSchema, note({}))).not.toThrow();
});
