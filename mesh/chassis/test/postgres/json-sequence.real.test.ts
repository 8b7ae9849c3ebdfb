import { expect, test } from "@jest/globals";
import { jsonSequence, jsonTexts } from "../../src/postgres/json-sequence.ts";
import { outboxDatabase } from "../outbox/outbox-world.ts";

const TAKE_APART = {
  name: "test.json_sequence",
  text: `select text from unnest($1::int[], ${jsonTexts("$2")}) as given (ord, text) order by ord`,
};

test.each([
  ["quotes, backslashes and braces", ['{"a":"\\"\\\\"}', '"{}"', '"\\u001e"']],
  ["an absent text among others", ["1", undefined, "null"]],
  ["nothing but absent texts", [undefined, null]],
  ["one absent text", [undefined]],
  ["one text", ['"ü€😀"']],
])("%s come out of the database as they went in", async (_title, texts) => {
  await using database = await outboxDatabase();
  const values = [texts.map((_, index) => index), jsonSequence(texts)];
  const rows = await database.openPool(1).query<{ text: string | null }>(TAKE_APART, values);
  expect(rows.map(({ text }) => text)).toEqual(texts.map((text) => text ?? null));
});
