import { type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { method as methodRules } from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";
import { pathOf } from "../transport/grpc-codec.ts";
import type { AdminPage } from "./admin-server.ts";

interface DocumentedRpc {
  readonly path: string;
  readonly kind: string;
  readonly request: string;
  readonly response: string;
  readonly callers: readonly string[];
  readonly deadlineSeconds: number | null;
}

/** The pages `/openapi.json` and `/docs` of one service: its RPCs, who may call each, and for how long. */
export function serviceDocuments(
  service: string,
  services: readonly DescService[],
): Readonly<Record<string, AdminPage>> {
  const rpcs = services.flatMap(documented);
  return {
    "/openapi.json": { contentType: "application/json", body: () => `${openapi(service, rpcs)}\n` },
    "/docs": { contentType: "text/html; charset=utf-8", body: () => page(service, rpcs) },
  };
}

function documented(service: DescService): DocumentedRpc[] {
  return service.methods.map((method) => {
    const rules = hasOption(method, methodRules) ? getOption(method, methodRules) : undefined;
    return {
      path: pathOf(method),
      kind: method.methodKind,
      request: method.input.typeName,
      response: method.output.typeName,
      callers: rules?.callers ?? [],
      deadlineSeconds: rules?.deadline === undefined ? null : Number(rules.deadline.seconds),
    };
  });
}

// gRPC is HTTP: every RPC is a POST of a framed message to its path. The document says that much; the
// messages are in the contract, and in the OpenAPI document of the edge for the RPCs that have a route there.
function openapi(service: string, rpcs: readonly DocumentedRpc[]): string {
  const paths = Object.fromEntries(
    rpcs.map((rpc) => [
      rpc.path,
      {
        post: {
          operationId: rpc.path.slice(1).replaceAll("/", "."),
          summary: `${rpc.request} → ${rpc.response} (${rpc.kind})`,
          "x-orrery-callers": rpc.callers,
          "x-orrery-deadline-seconds": rpc.deadlineSeconds,
          requestBody: { content: { "application/grpc+proto": {} } },
          responses: { "200": { description: rpc.response, content: { "application/grpc+proto": {} } } },
        },
      },
    ]),
  );
  return JSON.stringify({ openapi: "3.1.0", info: { title: service, version: "v1" }, paths }, undefined, 2);
}

function page(service: string, rpcs: readonly DocumentedRpc[]): string {
  const rows = rpcs.map(
    (rpc) =>
      `<tr><td><code>${rpc.path}</code></td><td>${rpc.kind}</td><td>${rpc.callers.join(", ")}</td>` +
      `<td>${rpc.deadlineSeconds === null ? "none" : `${rpc.deadlineSeconds} s`}</td></tr>`,
  );
  return [
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${service}</title>`,
    `<h1>${service}</h1>`,
    `<p>gRPC over mutual TLS, with reflection. <a href="openapi.json">openapi.json</a></p>`,
    "<table><thead><tr><th>RPC</th><th>kind</th><th>callers</th><th>deadline</th></tr></thead>",
    `<tbody>${rows.join("\n")}</tbody></table></html>\n`,
  ].join("\n");
}
