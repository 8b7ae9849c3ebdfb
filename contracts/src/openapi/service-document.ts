import { MethodRules_Exposure } from "../../gen/orrery/options/v1/options_pb.js";
import type { Contract, Rpc } from "../image/contract-image.ts";
import { commentOf, firstSentence } from "../image/source-text.ts";
import type { Schema } from "../schema/schema.ts";
import { SchemaCatalogue } from "../schema/schema-catalogue.ts";
import { codeName } from "./code-name.ts";
import { API_VERSION, LICENCE } from "./edge-document.ts";
import { promises, tagOf } from "./operation.ts";
import { adminPages, PAGES_TAG } from "./pages.ts";

const ABOUT =
  "gRPC over mutual TLS: each RPC is a POST of a framed message, whose fields are given here in their ProtoJSON " +
  "form. A refusal is a gRPC status with google.rpc.ErrorInfo, whose reason is one of x-reasons. The pages are on " +
  "the admin port.";

/** Makes the OpenAPI 3.1 document of one service: its RPCs, who may call each, and its admin pages. */
export function serviceDocument(contract: Contract, workload: string): object {
  const rpcs = contract.rpcs.filter(({ service }) => service.workload === workload);
  const schemas = new SchemaCatalogue({
    prefix: "#/components/schemas/",
    answers: rpcs.map(({ method }) => method.output),
  });
  const paths = Object.fromEntries(
    rpcs.map((rpc) => [`/${rpc.name}`, { post: operation(rpc, contract, schemas) }]),
  );
  const tags = [...new Map(rpcs.map(({ method }) => [tagOf(method), method.parent]))].map(
    ([name, service]) => ({
      name,
      description: commentOf(service),
    }),
  );
  return {
    openapi: "3.1.0",
    info: { title: `Orrery ${workload}`, version: API_VERSION, description: ABOUT, license: LICENCE },
    servers: [{ url: "/", description: "The port of this service: gRPC for its RPCs, admin for its pages." }],
    security: [{ workload: [] }],
    tags: [...tags, PAGES_TAG],
    paths: { ...paths, ...adminPages() },
    components: {
      schemas: schemas.definitions,
      securitySchemes: {
        workload: {
          type: "mutualTLS",
          description: "The certificate of a workload that the RPC lists as a caller.",
        },
      },
    },
  };
}

function operation(rpc: Rpc, { reasons }: Contract, schemas: SchemaCatalogue): Schema {
  const { method, rules } = rpc;
  const comment = commentOf(method);
  const own = rules.reasons.flatMap(
    (number) => reasons.find((reason) => reason.number === Number(number)) ?? [],
  );
  const messages = (direction: "input" | "output", isStream: boolean): Schema => ({
    "application/grpc+proto": {
      schema: schemas.message(direction === "input" ? method.input : method.output, direction),
      ...(isStream && { "x-stream": true }),
    },
  });
  return {
    operationId: `${method.parent.name}_${method.name}`,
    tags: [tagOf(method)],
    summary: firstSentence(comment),
    description: comment,
    "x-rpc": rpc.name,
    "x-kind": method.methodKind,
    "x-exposure": MethodRules_Exposure[rules.exposure],
    "x-callers": rules.callers,
    "x-on-behalf": rules.onBehalf,
    ...promises(rpc),
    "x-reasons": own.map(({ name, rules: { code, retryable } }) => ({
      reason: name,
      code: codeName(code),
      retryable,
    })),
    requestBody: {
      required: true,
      content: messages(
        "input",
        method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
      ),
    },
    responses: {
      "200": {
        description: `${commentOf(method.output)} Trailers carry grpc-status, and grpc-message where it is not 0.`,
        content: messages(
          "output",
          method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
        ),
      },
      "415": { description: "The request is not gRPC." },
    },
  };
}
