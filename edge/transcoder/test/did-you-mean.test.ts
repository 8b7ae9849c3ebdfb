import { describe, expect, test } from "@jest/globals";
import { ask, fieldsOf, harness, violationsOf } from "./transcoder-fixture.ts";

const { transcoder } = harness();
const asked = async (query: string) => violationsOf(await ask(transcoder, `GET /v1/everything?${query}`));
const posted = async (body: object) =>
  violationsOf(await ask(transcoder, "POST /v1/everything", { body: JSON.stringify(body) }));

const NO_FIELD = "there is no such field in transcoder.test.v1.EverythingRequest";
const NO_VALUE = "transcoder.test.v1.Kind has no such value";

describe("D2: an unknown field of a body is told with the name that was meant", () => {
  test.each([
    ["txet", "text"],
    ["Numbers", "numbers"],
    ["chosen-text", "chosenText"],
    ["MAYBE_INT_32", "maybeInt32"],
    ["lables", "labels"],
  ])("%s: %s", async (written, meant) => {
    expect(await posted({ [written]: "x" })).toEqual([`${NO_FIELD}; did you mean ${meant}?`]);
  });

  test.each(["unknown", "x", "", "it", "numbersAndMore", "n".repeat(65), "__proto__x"])(
    "%s: none is near",
    async (written) => {
      expect(await posted({ [written]: "x" })).toEqual([NO_FIELD]);
    },
  );

  test("also further down, with the names of that message", async () => {
    expect(await posted({ children: [{ depeer: {} }] })).toEqual([
      "there is no such field in transcoder.test.v1.Nested; did you mean deeper?",
    ]);
  });

  test("the value of an enum too", async () => {
    expect(await posted({ kind: "novel", kinds: ["ESAY", "POEM"] })).toEqual([
      `${NO_VALUE}; did you mean NOVEL?`,
      `${NO_VALUE}; did you mean ESSAY?`,
      NO_VALUE,
    ]);
  });
});

describe("D1: an unknown query parameter is told with the name that was meant", () => {
  test("at the top, in a message, and as the value of an enum", async () => {
    expect(await asked("mayBeText=a&nested.lfet=1&kind=essai")).toEqual([
      "there is no field mayBeText in transcoder.test.v1.EverythingRequest; did you mean maybeText?",
      "there is no field lfet in transcoder.test.v1.Nested; did you mean left?",
      `${NO_VALUE}; did you mean ESSAY?`,
    ]);
  });

  test("at most twenty are told, as of a body", async () => {
    const query = Array.from({ length: 100 }, (_, n) => `no${n}=1`).join("&");
    expect(fieldsOf(await ask(transcoder, `GET /v1/everything?${query}`))).toHaveLength(20);
  });
});
