import { Fault } from "@orrery/mesh/fault/fault";
import { LIMITS } from "../http/limits.ts";
import type { Caller, KeyStore, Scope } from "./key-store.ts";

/** Reads one header of a request by its lower-case name; several values joined by commas. */
export type HeaderReader = (name: string) => string | undefined;

const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Says who asks, from `Authorization: Bearer <key>` (RFC 6750, section 2.1).
 *
 * @throws Fault UNAUTHENTICATED without a key that holds · PROJECT_FORBIDDEN where `Orrery-Project` names
 * another project than the key's
 */
export function authenticate(keys: KeyStore, header: HeaderReader): Caller {
  const authorization = header("authorization");
  if (authorization === undefined || authorization === "") {
    throw new Fault("UNAUTHENTICATED", { detail: "The request has no Authorization header." });
  }
  const tooLong = authorization.length > LIMITS.authorizationCharacters;
  const token = tooLong ? undefined : BEARER.exec(authorization)?.[1];
  if (token === undefined) {
    throw new Fault("UNAUTHENTICATED", {
      detail: "The Authorization header is not of the form 'Bearer <key>'.",
    });
  }
  const caller = keys.find(token);
  if (caller === undefined) {
    throw new Fault("UNAUTHENTICATED", { detail: "The API key is not known here." });
  }
  const project = header("orrery-project");
  if (project !== undefined && project !== caller.project) {
    throw new Fault("PROJECT_FORBIDDEN", {
      detail: "The Orrery-Project header names a project that this key does not open.",
    });
  }
  return caller;
}

/** @throws Fault SCOPE_MISSING, naming the scope */
export function requireScope(caller: Caller, scope: Scope): void {
  if (caller.scopes.includes(scope)) return;
  throw new Fault("SCOPE_MISSING", {
    detail: `This needs the scope '${scope}', which the key does not have.`,
  });
}
