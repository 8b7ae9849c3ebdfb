import { Fault } from "@orrery/mesh/fault/fault";
import type { TranscoderRoute } from "@orrery/transcoder";
import type { Exchange } from "../http/exchange.ts";
import { routeLabels } from "../http/route-label.ts";

/** A request, as far as it tells its route and what its URL gives. */
type Asked = Pick<Exchange, "httpMethod" | "path" | "target">;

interface BodyField {
  readonly template: string;
  /** The path that the body has in the request message, before what is inside it. */
  readonly prefix: RegExp;
}

/**
 * Names the fields at fault as their caller wrote them. Services and the transcoder name them from the request message
 * down; where the rule of a route makes the body one field of that message, the caller wrote what is inside that field.
 *
 * @param routes - of the REST API
 * @returns the fault itself for every other route
 */
export function bodyFieldNames(routes: readonly TranscoderRoute[]): (fault: Fault, asked: Asked) => Fault {
  const known = routes.flatMap(({ httpMethod, template, body, method }) => {
    const field = method.input.fields.find(({ name }) => name === body);
    if (field === undefined) return [];
    const prefix = new RegExp(`^${field.jsonName}(\\.|(?=\\[)|$)`);
    return [{ httpMethod, template, prefix, labelOf: routeLabels([template]) }];
  });
  return (fault, asked) => {
    if (fault.fieldViolations.length === 0) return fault;
    const route = known.find(
      ({ httpMethod, template, labelOf }) =>
        httpMethod === asked.httpMethod && labelOf(asked.path) === template,
    );
    return route === undefined ? fault : renamed(fault, route, asked.target);
  };
}

function renamed(fault: Fault, { template, prefix }: BodyField, target: string): Fault {
  // What the URL gives has the path of the message there too.
  const query = new URLSearchParams(target.split("?")[1]);
  const inUrl = (field: string) => template.includes(`{${field}}`) || query.has(field);
  const nameOf = (field: string) => (inUrl(field) ? field : field.replace(prefix, ""));
  const { reason, message, retryAfterMs } = fault;
  const fieldViolations = fault.fieldViolations.map(({ field, description }) => ({
    field: nameOf(field),
    description,
  }));
  const said = fault.fieldViolations[0]?.field ?? "";
  const name = nameOf(said);
  const detail = message.startsWith(`${said}: `)
    ? (name === "" ? "" : `${name}: `) + message.slice(said.length + 2)
    : message;
  return new Fault(reason, { detail, fieldViolations, retryAfterMs }, { cause: fault });
}
