import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Duration, Timestamp, Value } from "@bufbuild/protobuf/wkt";
import type { Alert_Severity, Alert_Status } from "@orrery/contracts/gen/orrery/alerts/v1/alert_pb.js";
import type {
  Job_Blocked_Reason,
  Job_Status,
  JobAttempt_Status,
} from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import type {
  Mission_Status,
  MissionStep_Status,
} from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_pb.js";

type NameIn<E, V> = { [K in keyof E]: E[K] extends V ? K : never }[keyof E];

/** The word that ProtoJSON writes for the value of an enum. An enum that is missing here stays a type error. */
type EnumName<V> = V extends Job_Status
  ? NameIn<typeof Job_Status, V>
  : V extends Job_Blocked_Reason
    ? NameIn<typeof Job_Blocked_Reason, V>
    : V extends JobAttempt_Status
      ? NameIn<typeof JobAttempt_Status, V>
      : V extends Mission_Status
        ? NameIn<typeof Mission_Status, V>
        : V extends MissionStep_Status
          ? NameIn<typeof MissionStep_Status, V>
          : V extends Alert_Status
            ? NameIn<typeof Alert_Status, V>
            : V extends Alert_Severity
              ? NameIn<typeof Alert_Severity, V>
              : never;

/**
 * A message of the contract as the edge writes it: ProtoJSON in camelCase, implicit defaults emitted, unset messages
 * absent. Only types: the codec and its descriptors would take a third of the page's budget, and the generator's own
 * JSON types make every field optional, since other servers leave defaults out.
 */
export type JsonOf<T> = T extends Timestamp | Duration
  ? string
  : T extends Value
    ? JsonValue
    : T extends number
      ? `${number}` extends `${T}`
        ? number
        : EnumName<T>
      : T extends string | boolean | undefined
        ? T
        : T extends readonly (infer E)[]
          ? readonly JsonOf<E>[]
          : T extends JsonObject
            ? T
            : { readonly [K in keyof T as Exclude<K, "$typeName" | "$unknown">]: JsonOf<T[K]> };
