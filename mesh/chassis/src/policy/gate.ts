import { Fault } from "../fault/fault.ts";
import { METRIC, SECURITY_EVENT } from "../telemetry/attributes.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { CONTEXT_HEADERS, type OnBehalf } from "../transport/call.ts";
import type { MethodPolicy } from "./method-policy.ts";

/** The RPC that a decision is about, in the names of the metrics. */
export interface Rpc {
  /** The service's full name. */
  readonly service: string;
  readonly method: string;
}

/**
 * Decides over callers. Every refusal is counted in `orrery_policy_denied_total` and logged as a security
 * event.
 */
export interface Gate {
  /**
   * Lets a caller in, or not.
   *
   * @param caller - the workload; undefined where no identity was proved
   * @throws Fault `CALLER_NOT_ALLOWED`
   */
  admit(rpc: Rpc, policy: MethodPolicy, caller: string | undefined): string;
  /**
   * Reads for whom a call is made, out of its metadata.
   *
   * @returns undefined where the caller says nothing
   * @throws Fault `CALLER_NOT_ALLOWED` when it says something and may not, or says half of it
   */
  onBehalf(
    rpc: Rpc,
    policy: MethodPolicy,
    caller: string,
    header: (name: string) => string | undefined,
  ): OnBehalf | undefined;
  /** Notes a connection that was refused before any RPC was named. */
  refuseConnection(event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** The labels of a refusal that no RPC can be named for. */
const NO_RPC = { rpc_service: "_connection", method: "_handshake" } as const;

/** A gate that refuses whatever the policy does not name. */
export function createGate({ logger, metrics }: { logger: Logger; metrics: Metrics }): Gate {
  const denied = metrics.counter(METRIC.POLICY_DENIED, "Calls and connections refused by policy.", [
    "rpc_service",
    "method",
  ]);
  // From the first scrape on, so that a rate sees the first one as well.
  denied.inc(NO_RPC, 0);
  const refuse = (event: string, rpc: Rpc, caller: string | undefined): Fault => {
    denied.inc({ rpc_service: rpc.service, method: rpc.method });
    logger.security(event, { caller: caller ?? null, rpc_service: rpc.service, rpc_method: rpc.method });
    const who = caller ?? "a caller without an identity";
    const what = event === SECURITY_EVENT.ON_BEHALF_REFUSED ? "speak for others at" : "call";
    return new Fault("CALLER_NOT_ALLOWED", { detail: `${who} may not ${what} ${rpc.service}/${rpc.method}` });
  };
  return {
    admit: (rpc, policy, caller) => {
      if (caller !== undefined && policy.callers.has(caller)) return caller;
      throw refuse(SECURITY_EVENT.CALLER_REFUSED, rpc, caller);
    },
    onBehalf: (rpc, policy, caller, header) => {
      const project = header(CONTEXT_HEADERS.project);
      const principal = header(CONTEXT_HEADERS.principal);
      const scopes = header(CONTEXT_HEADERS.scopes);
      if (project === undefined && principal === undefined && scopes === undefined) return undefined;
      if (!policy.onBehalf.has(caller)) throw refuse(SECURITY_EVENT.ON_BEHALF_REFUSED, rpc, caller);
      if (!project || !principal) {
        throw new Fault("CALLER_NOT_ALLOWED", {
          detail: `${CONTEXT_HEADERS.project} and ${CONTEXT_HEADERS.principal} have to be sent together`,
        });
      }
      return { project, principal, scopes: scopes ? scopes.split(",") : [] };
    },
    refuseConnection: (event, fields) => {
      denied.inc(NO_RPC);
      logger.security(event, fields);
    },
  };
}
