import { describe, expect, test } from "@jest/globals";
import { apiOf } from "../src/api.ts";
import { type Frame, follow, framesOf } from "../src/event-stream.ts";
import { fakeEdge, frames, inTurn, problem } from "./fake-edge.ts";

const api = (url: string) => apiOf({ url, key: "k", project: undefined, source: "test" });
const signal = new AbortController().signal;

async function collect(stream: AsyncIterable<Frame>, enough = Number.POSITIVE_INFINITY): Promise<string[]> {
  const seen: string[] = [];
  for await (const { id, event, data } of stream) {
    seen.push(`${id} ${event} ${data}`);
    if (seen.length >= enough) break;
  }
  return seen;
}

async function* bytes(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

describe("the frames of a stream", () => {
  test("are read across chunks, with lines of either kind, and comments are none", async () => {
    const body = bytes(
      ": hi\n\nid: 1\nevent: a\nda",
      'ta: {"x":\ndata: 1}\r\n\r\n: ping\n\n',
      "data:bare\n\nevent: lost\n",
    );
    expect(await collect(framesOf(body, "0"))).toEqual(['1 a {"x":\n1}', "1 message bare"]);
  });

  test("may break inside a character", async () => {
    const [one, other] = [Buffer.from("data: ü\n\n").subarray(0, 7), Buffer.from("data: ü\n\n").subarray(7)];
    const body = (async function* () {
      yield one;
      yield other;
    })();
    expect(await collect(framesOf(body, ""))).toEqual([" message ü"]);
  });
});

describe("a stream that is followed", () => {
  const frame = (id: string) => ({ id, event: "e", data: Number(id) });

  test("goes on where the connection broke off, and ends with 204", async () => {
    await using edge = await fakeEdge({
      "GET /s": inTurn(
        frames([frame("1"), frame("2")]),
        problem(503, "DEPENDENCY_UNAVAILABLE", "away"),
        frames([frame("3")]),
        (_, response) => response.writeHead(204).end(),
      ),
    });
    const lost: number[] = [];
    const seen = await collect(
      follow(api(edge.url), "/s", { signal, onLost: (waitMs) => lost.push(waitMs) }),
    );
    expect(seen).toEqual(["1 e 1", "2 e 2", "3 e 3"]);
    expect(edge.came.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "2", "2", "3"]);
    expect(lost).toHaveLength(3);
  });

  test("counts as lost when even the comments stop", async () => {
    await using edge = await fakeEdge({
      "GET /s": inTurn(frames([frame("1")], { open: true }), frames([frame("2")], { open: true })),
    });
    expect(await collect(follow(api(edge.url), "/s", { signal, silenceMs: 50 }), 2)).toEqual([
      "1 e 1",
      "2 e 2",
    ]);
  });

  test("that was refused from the start fails at once", async () => {
    await using edge = await fakeEdge({ "GET /s": problem(404, "NOT_FOUND", "There is no such thing here") });
    await expect(collect(follow(api(edge.url), "/s", { signal }))).rejects.toThrow(
      "There is no such thing here",
    );
    expect(edge.came).toHaveLength(1);
  });

  test("ends with its signal", async () => {
    await using edge = await fakeEdge({ "GET /s": frames([frame("1")], { open: true }) });
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const { id } of follow(api(edge.url), "/s", { signal: stop.signal })) {
      seen.push(id);
      stop.abort();
    }
    expect(seen).toEqual(["1"]);
  });
});
