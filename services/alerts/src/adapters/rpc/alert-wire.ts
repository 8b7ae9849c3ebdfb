import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Alert_Severity,
  Alert_Status,
  AlertSchema,
  type Alert as WireAlert,
} from "@orrery/contracts/gen/orrery/alerts/v1/alert_pb.js";
import type { Alert } from "../../domain/alert.ts";

/** Renders an alert for its reader. */
export function alertToWire(alert: Alert): WireAlert {
  const { acknowledged, mute, endMs } = alert;
  return create(AlertSchema, {
    id: alert.id,
    name: alert.name,
    severity: Alert_Severity[alert.severity],
    summary: alert.summary,
    startTime: timestampFromMs(alert.startMs),
    status: Alert_Status[alert.status],
    version: alert.version,
    description: alert.description,
    runbook: alert.runbook,
    labels: { ...alert.labels },
    note: alert.note,
    ...(endMs !== undefined && { endTime: timestampFromMs(endMs) }),
    ...(acknowledged && {
      acknowledgedBy: acknowledged.principal,
      acknowledgeTime: timestampFromMs(acknowledged.atMs),
    }),
    ...(mute && { mutedBy: mute.principal, muteUntilTime: timestampFromMs(mute.untilMs) }),
  });
}

/** An answer as it is stored beside its idempotency key, and back. */
export const alertToBytes = (alert: Alert): Uint8Array => toBinary(AlertSchema, alertToWire(alert));
export const alertFromBytes = (bytes: Uint8Array): WireAlert => fromBinary(AlertSchema, bytes);
