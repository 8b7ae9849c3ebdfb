import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { requestBody } from "../../src/http/request-body.ts";

const open: { server: Server; socket: Socket }[] = [];

afterEach(async () => {
  for (const { server, socket } of open.splice(0)) {
    socket.destroy();
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }
});

/** A request whose head has arrived, and the connection to send its body by. */
async function requestWith(headers: string): Promise<{
  request: IncomingMessage;
  response: ServerResponse;
  socket: Socket;
}> {
  const server = createServer();
  const take = (request: IncomingMessage, response: ServerResponse) =>
    server.emit("taken", request, response);
  server.on("request", take);
  server.on("checkContinue", take);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  open.push({ server, socket });
  const taken = once(server, "taken");
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n`);
  const [request, response] = (await taken) as [IncomingMessage, ServerResponse];
  return { request, response, socket };
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("a body is read whole, however many pieces it comes in", async () => {
  const { request, response, socket } = await requestWith("transfer-encoding: chunked");
  const read = textOf(requestBody(request, response, false));
  for (const piece of ["one ", "two ", "three"]) {
    const sent = once(request, "readable");
    socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    await sent;
  }
  socket.write("0\r\n\r\n");
  expect(await read).toBe("one two three");
});

test("a body that was there before it is asked for is read as well, and so is an empty one", async () => {
  const { request, response, socket } = await requestWith("content-length: 3");
  const ended = once(request, "readable");
  socket.write("abc");
  await ended;
  expect(await textOf(requestBody(request, response, false))).toBe("abc");
  const empty = await requestWith("content-length: 0");
  expect(await textOf(requestBody(empty.request, empty.response, false))).toBe("");
});

test("a client that leaves in the middle of its body ends the reading with a failure", async () => {
  const { request, response, socket } = await requestWith("content-length: 10");
  const read = textOf(requestBody(request, response, false));
  socket.write("abc");
  socket.destroy();
  await expect(read).rejects.toThrow();
  await expect(textOf(requestBody(request, response, false))).rejects.toThrow();
});

test("a client that asks first is told to go on at the first read, not before", async () => {
  const { request, response, socket } = await requestWith("content-length: 2\r\nexpect: 100-continue");
  const body = requestBody(request, response, true);
  const told = once(socket, "data");
  const read = textOf(body);
  expect(String((await told)[0])).toContain("100 Continue");
  socket.write("ok");
  expect(await read).toBe("ok");
});
