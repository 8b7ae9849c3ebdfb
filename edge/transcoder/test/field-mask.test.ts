import { describe, expect, test } from "@jest/globals";
import { ask, harness } from "./transcoder-fixture.ts";

const { transcoder, lastRequest } = harness();

describe("F1: the update mask of a PATCH", () => {
  const book = "/v1/shelves/1/books/2";
  const rows: readonly (readonly [what: string, target: string, body: string, mask: string | undefined])[] = [
    [
      "is kept where the query gives it",
      `${book}?updateMask=title,author.givenName`,
      '{"pages":1}',
      "title,author.givenName",
    ],
    ["is kept in proto names", `${book}?update_mask=author.given_name`, '{"pages":1}', "author.givenName"],
    ["is kept where it asks for a full replacement", `${book}?updateMask=*`, '{"pages":1}', "*"],
    ["is the fields of the body where the query gives none", book, '{"title":"a","pages":0}', "title,pages"],
    ["goes into messages", book, '{"author":{"given_name":"a"},"title":"b"}', "author.givenName,title"],
    ["takes an empty message as one path", book, '{"author":{}}', "author"],
    ["takes null as one path", book, '{"author":null,"title":null}', "author,title"],
    ["takes lists and maps as one path", book, '{"tags":["a"],"labels":{"x":"y"}}', "tags,labels"],
    ["takes a timestamp as one path", book, '{"createTime":"2026-01-01T00:00:00Z"}', "createTime"],
    [
      "takes an Any as one path",
      book,
      '{"extra":{"@type":"type.googleapis.com/google.protobuf.Empty"}}',
      "extra",
    ],
    ["stays empty without a body", book, "", undefined],
    ["stays empty for an empty body", book, "{}", undefined],
    [
      "is in the body where the rule gives it the whole request",
      `/v1/whole${book.slice(3)}`,
      '{"book":{"pages":1},"updateMask":"title"}',
      "title",
    ],
    [
      "is not implied where the body is the whole request",
      `/v1/whole${book.slice(3)}`,
      '{"book":{"pages":1}}',
      undefined,
    ],
  ];
  test.each(rows)("%s", async (_what, target, body, mask) => {
    expect(await ask(transcoder, `PATCH ${target}`, { body })).toMatchObject({ status: 200 });
    expect(lastRequest()).toMatchObject({ book: { name: "shelves/1/books/2" } });
    expect((lastRequest() as { updateMask?: string }).updateMask).toBe(mask);
  });

  test("is not implied for a POST", async () => {
    await ask(transcoder, "POST /v1/shelves/1/books", { body: '{"title":"a"}' });
    expect(lastRequest()).toEqual({ parent: "shelves/1", book: { title: "a" } });
  });
});
