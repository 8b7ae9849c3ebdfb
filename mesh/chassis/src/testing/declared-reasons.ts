import type { DescMethod } from "@bufbuild/protobuf";
import { undeclaredReason } from "../fault/declared.ts";
import type { Route } from "../transport/route.ts";

type AnyHandler = (request: unknown, call: unknown) => unknown;

/**
 * A service that is served as it is, except that a refusal with a reason that the proto does not declare for its RPC
 * becomes an UndeclaredReason, which is no refusal: a test sees INTERNAL in the place of what it waits for.
 */
export function onlyDeclared(route: Route): Route {
  return {
    service: route.service,
    handler: (localName) => {
      const handler = route.handler(localName) as AnyHandler;
      const method = route.service.method[localName];
      if (method === undefined) return handler;
      const streams = method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
      return (request: unknown, call: unknown): unknown =>
        streams
          ? eachOf(method, handler(request, call) as AsyncIterable<unknown>)
          : oneOf(method, handler(request, call) as Promise<unknown>);
    },
  };
}

async function oneOf<T>(method: DescMethod, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw undeclaredReason(method, error) ?? error;
  }
}

async function* eachOf<T>(method: DescMethod, answers: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    yield* answers;
  } catch (error) {
    throw undeclaredReason(method, error) ?? error;
  }
}
