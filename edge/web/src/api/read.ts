import { type Answer, type Reading, ROUTES } from "./contract.ts";
import { Problem, problemOf } from "./problem.ts";

/** What a reading is asked with: path variables and query parameters by name; empty ones are left out. */
export type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Reader {
  /** Reads one route. @throws Problem whatever goes wrong, except an abort */
  read<R extends Reading>(reading: R, parameters?: Parameters, signal?: AbortSignal): Promise<Answer<R>>;
  /** Opens any address of the edge with the key. @throws Problem where the answer is no success */
  open(target: string, init?: { headers?: Record<string, string>; signal?: AbortSignal }): Promise<Response>;
}

/** Requests that do not answer within this are given up: the edge's own deadline for readings is 5 seconds. */
const ANSWER_WITHIN_MS = 12_000;
/** Whoever takes plain JSON alone is told of an error in another form (surface: `google.rpc.Status`). */
const ACCEPT = "application/json, application/problem+json";

/**
 * Reads from the edge that served the page, with one key, by GET alone.
 *
 * @param onRefused - told when the edge does not take the key
 */
export function createReader(key: string, onRefused: () => void): Reader {
  const open: Reader["open"] = async (target, { headers = {}, signal } = {}) => {
    const response = await fetch(target, {
      headers: { accept: ACCEPT, ...headers, authorization: `Bearer ${key}` },
      credentials: "omit",
      cache: "no-store",
      ...(signal && { signal }),
    }).catch((cause: unknown) => {
      if (signal?.aborted && !timedOut(signal)) throw cause;
      throw new Problem({ status: 0, title: "The platform does not answer", cause });
    });
    if (response.ok) return response;
    if (response.status === 401) onRefused();
    throw await problemOf(response);
  };
  return {
    open,
    async read<R extends Reading>(reading: R, parameters: Parameters = {}, signal?: AbortSignal) {
      const limit = AbortSignal.timeout(ANSWER_WITHIN_MS);
      const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
      const response = await open(targetOf(ROUTES[reading], parameters), { signal: both });
      return (await response.json()) as Answer<R>;
    },
  };
}

const timedOut = ({ reason }: AbortSignal): boolean =>
  reason instanceof DOMException && reason.name === "TimeoutError";

/** Puts parameters into a route: those that the template names into the path, the others into the query. */
export function targetOf(template: string, parameters: Parameters): string {
  const inPath = new Set<string>();
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    inPath.add(name);
    return encodeURIComponent(String(parameters[name] ?? ""));
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (!inPath.has(name) && value !== undefined && value !== "") query.set(name, String(value));
  }
  return query.size === 0 ? path : `${path}?${query}`;
}
