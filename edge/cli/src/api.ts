import type { Connection } from "./connection.ts";
import { EXIT } from "./exit-code.ts";
import { Failure, failureFrom } from "./failure.ts";

const ANSWER_LIMIT_MS = 30_000;

/** JSON as the API speaks it. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

export interface Sending {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** JSON text. */
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** An answer, as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The edge, over HTTP. */
export interface Api {
  readonly url: string;
  /**
   * Sends one request and reads the answer whole, within 30 seconds.
   *
   * @throws Failure where the edge answers 400 or more, or cannot be reached (exit code 9)
   */
  send(method: string, path: string, sending?: Sending): Promise<Answer>;
  /** Sends a request whose answer is read bit by bit. Throws as `send` does, until the answer has begun. */
  open(method: string, path: string, sending?: Sending): Promise<Response>;
}

/** Talks to the edge of a connection. */
export function apiOf({ url, key, project }: Connection): Api {
  const open = async (method: string, path: string, sending: Sending = {}): Promise<Response> => {
    const headers = {
      accept: "application/json, application/problem+json",
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(project === undefined ? {} : { "orrery-project": project }),
      ...(sending.body === undefined ? {} : { "content-type": "application/json" }),
      ...sending.headers,
    };
    const init = { method, headers, body: sending.body ?? null, signal: sending.signal ?? null };
    const response = await fetch(addressOf(url, path, sending.query), init).catch((error: unknown) => {
      throw sending.signal?.aborted ? error : unreachable(url, error);
    });
    if (response.status >= 400) {
      const retryAfter = response.headers.get("retry-after");
      throw failureFrom(response.status, { body: await response.text(), retryAfter });
    }
    return response;
  };
  const send = async (method: string, path: string, sending: Sending = {}): Promise<Answer> => {
    const limit = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const signal = sending.signal === undefined ? limit : AbortSignal.any([limit, sending.signal]);
    try {
      const response = await open(method, path, { ...sending, signal });
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch (error) {
      if (limit.aborted) throw unreachable(url, `no answer in ${ANSWER_LIMIT_MS / 1_000} seconds`);
      throw error;
    }
  };
  return { url, open, send };
}

function addressOf(url: string, path: string, query: Sending["query"] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  if (parameters.size === 0) return `${url}${path}`;
  return `${url}${path}${path.includes("?") ? "&" : "?"}${parameters.toString()}`;
}

function unreachable(url: string, error: unknown): Failure {
  const { cause = error } = error as { cause?: unknown };
  const { code, message } = cause as { code?: string; message?: string };
  return new Failure(`the edge at ${url} cannot be reached (${code ?? message ?? String(cause)})`, {
    exitCode: EXIT.unreachable,
    fix: "is it running? `orrery doctor` looks closer",
  });
}
