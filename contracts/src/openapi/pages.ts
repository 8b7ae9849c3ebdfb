import type { Schema } from "../schema/schema.ts";
import { EVERY_ANSWER, headerRefs } from "./components.ts";

interface PageText {
  readonly id: string;
  readonly summary: string;
  readonly type: string;
  readonly schema: Schema;
  /** Answers beyond 200, by status. */
  readonly more?: Record<string, string>;
  readonly parameters?: readonly Schema[];
}

const TEXT = { type: "string" };
const DOCUMENT = { type: "object" };

/** Health as a page tells it: the edge in JSON, an admin port in a word. */
const health = (type: string, schema: Schema): Readonly<Record<string, PageText>> => ({
  "/healthz": { id: "Pages_healthz", summary: "Whether the process lives", type, schema },
  "/health/live": { id: "Pages_live", summary: "The same as /healthz", type, schema },
  "/readyz": {
    id: "Pages_readyz",
    summary: "Whether it can serve",
    type,
    schema,
    more: { "503": "It cannot, now." },
  },
  "/health/ready": {
    id: "Pages_ready",
    summary: "The same as /readyz",
    type,
    schema,
    more: { "503": "It cannot, now." },
  },
});

const STATUS = { type: "object", properties: { status: { type: "string" } }, required: ["status"] };

const EDGE: Readonly<Record<string, PageText>> = {
  ...health("application/json", STATUS),
  "/openapi.json": {
    id: "Pages_openapi",
    summary: "This document",
    type: "application/json",
    schema: DOCUMENT,
  },
  "/asyncapi.json": {
    id: "Pages_asyncapi",
    summary: "The events, as AsyncAPI 3",
    type: "application/json",
    schema: DOCUMENT,
  },
  "/docs": {
    id: "Pages_docs",
    summary: "A page to read and try the API on",
    type: "text/html",
    schema: TEXT,
  },
  "/problems": {
    id: "Pages_problems",
    summary: "Every reason for a refusal",
    type: "application/json",
    schema: DOCUMENT,
  },
  "/problems/{reason}": {
    id: "Pages_problem",
    summary: "What one reason means, what brings it about, and what to do",
    type: "application/json",
    schema: DOCUMENT,
    more: { "404": "There is no such reason." },
    parameters: [
      {
        name: "reason",
        in: "path",
        required: true,
        description: "Its name.",
        schema: { $ref: "#/components/schemas/ProblemReason" },
      },
    ],
  },
  "/runbooks": {
    id: "Pages_runbooks",
    summary: "Every runbook that an alert can name",
    type: "text/markdown",
    schema: TEXT,
  },
  "/runbooks/{name}": {
    id: "Pages_runbook",
    summary: "What to do about an alert",
    type: "text/markdown",
    schema: TEXT,
    more: { "404": "There is no such runbook." },
    parameters: [
      {
        name: "name",
        in: "path",
        required: true,
        description: "Its name, as an alert has it.",
        schema: { type: "string", pattern: "^[a-z][a-z0-9-]{0,62}$" },
      },
    ],
  },
};

const GUARDED = { "403": "The caller is neither operator nor prometheus." };

const ADMIN: Readonly<Record<string, PageText>> = {
  ...health("text/plain", TEXT),
  "/metrics": {
    id: "Pages_metrics",
    summary: "Figures for Prometheus",
    type: "text/plain",
    schema: TEXT,
    more: GUARDED,
  },
  "/openapi.json": {
    id: "Pages_openapi",
    summary: "This document",
    type: "application/json",
    schema: DOCUMENT,
    more: GUARDED,
  },
  "/docs": {
    id: "Pages_docs",
    summary: "This document, to read",
    type: "text/html",
    schema: TEXT,
    more: GUARDED,
  },
};

/** The tag of pages. */
export const PAGES_TAG = {
  name: "Pages",
  description: "What is not an RPC: health, documents, explanations.",
};

/** The public pages of the edge, as path items. */
export function edgePages(): Record<string, Schema> {
  return pathItems(EDGE, EVERY_ANSWER, true);
}

/** The pages of an admin port, as path items. */
export function adminPages(): Record<string, Schema> {
  return pathItems(ADMIN, [], false);
}

function pathItems(
  pages: Readonly<Record<string, PageText>>,
  headers: readonly string[],
  isProblem: boolean,
): Record<string, Schema> {
  const answered = (description: string, type: string, schema: Schema): Schema => ({
    description,
    ...(headers.length > 0 && { headers: headerRefs(headers) }),
    content: { [type]: { schema } },
  });
  const refused = (description: string): Schema =>
    isProblem
      ? answered(description, "application/problem+json", { $ref: "#/components/schemas/Problem" })
      : answered(description, "text/plain", TEXT);
  return Object.fromEntries(
    Object.entries(pages).map(([path, { id, summary, type, schema, more = {}, parameters }]) => [
      path,
      {
        get: {
          operationId: id,
          tags: [PAGES_TAG.name],
          summary,
          security: [],
          ...(parameters && { parameters }),
          responses: {
            "200": answered(`${summary}.`, type, schema),
            ...Object.fromEntries(
              Object.entries({ ...more, "405": "It is read with GET or HEAD." }).map(([status, text]) => [
                status,
                refused(text),
              ]),
            ),
          },
        },
      },
    ]),
  );
}
