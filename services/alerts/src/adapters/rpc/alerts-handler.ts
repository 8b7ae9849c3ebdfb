import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import {
  AcknowledgeAlertRequestSchema,
  AlertsService,
  type MuteAlertRequest,
  MuteAlertRequestSchema,
} from "@orrery/contracts/gen/orrery/alerts/v1/alerts_service_pb.js";
import { keyedRequest } from "@orrery/mesh/idempotency/keys";
import { callerOf, type Route, serve } from "@orrery/mesh/transport/route";
import type { ActRequest, actOnAlert } from "../../application/act-on-alert.ts";
import type { Caller } from "../../application/ports.ts";
import { alertFromBytes, alertToWire } from "./alert-wire.ts";

const NANOS_PER_MS = 1_000_000;

/** AlertsService, a line or two for each RPC. */
export function alertsRoute(act: ReturnType<typeof actOnAlert>): Route {
  const answer = async (request: ActRequest, caller: Caller) => {
    const done = await act(request, caller);
    if ("alert" in done) return { alert: alertToWire(done.alert), replayed: false };
    return { alert: alertFromBytes(done.replay), replayed: true };
  };
  return serve(AlertsService, {
    acknowledgeAlert: (request, call) => {
      const caller = callerOf(call);
      const { principal, project } = caller;
      const keyed = keyedRequest("AcknowledgeAlert", AcknowledgeAlertRequestSchema, request, project);
      const command = { kind: "acknowledge", principal, note: request.note } as const;
      return answer({ id: known(request.id), command, keyed }, caller);
    },
    muteAlert: (request, call) => {
      const caller = callerOf(call);
      const { principal, project } = caller;
      const keyed = keyedRequest("MuteAlert", MuteAlertRequestSchema, request, project);
      const command = { kind: "mute", principal, note: request.note, ...endOf(request) } as const;
      return answer({ id: known(request.id), command, keyed }, caller);
    },
  });
}

/** Ids are kept in lower case; a UUID means the same in any (RFC 9562, section 4). */
const known = (id: string): string => id.toLowerCase();

/** The contract lets exactly one of the two through. */
function endOf({ untilTime, duration }: MuteAlertRequest): { untilMs: number } | { durationMs: number } {
  if (untilTime !== undefined) return { untilMs: msOf(untilTime) };
  return { durationMs: duration === undefined ? 0 : msOf(duration) };
}

const msOf = ({ seconds, nanos }: Pick<Duration | Timestamp, "seconds" | "nanos">): number =>
  Number(seconds) * 1_000 + Math.floor(nanos / NANOS_PER_MS);
