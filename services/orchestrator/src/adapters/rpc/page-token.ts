import { createHash } from "node:crypto";
import { Fault } from "@orrery/mesh/fault/fault";

/** What a list is about: a token holds for the same list only. */
export interface ListScope {
  readonly project: string;
  /** The status asked for; empty for all. */
  readonly status: string;
}

const FORM = /^1:([0-9a-f]{16}):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** A page token: opaque to the caller, good at every replica, and for that list only. */
export const pageToken = (scope: ListScope, lastId: string): string =>
  Buffer.from(`1:${digest(scope)}:${lastId}`).toString("base64url");

/** The mission after which the next page begins; undefined without a token. @throws Fault `INVALID_PAGE_TOKEN` */
export function idBehind(token: string, scope: ListScope): string | undefined {
  if (token === "") return undefined;
  const [, of, id] = FORM.exec(Buffer.from(token, "base64url").toString("latin1")) ?? [];
  if (of === digest(scope) && id !== undefined) return id;
  const description = "must be the nextPageToken of a page of the same list";
  const fieldViolations = [{ field: "pageToken", description }];
  throw new Fault("INVALID_PAGE_TOKEN", { detail: `pageToken ${description}`, fieldViolations });
}

const digest = ({ project, status }: ListScope): string =>
  createHash("sha256").update(`${project}\n${status}`).digest("hex").slice(0, 16);
