import { Link } from "@tanstack/react-router";
import type { Alert } from "../api/contract.ts";
import { SEVERITY_LOOK } from "../domain/status-look.ts";
import { Badge } from "./status.tsx";
import { When } from "./time.tsx";

/** An alert in one line, with the way to its runbook. */
export function AlertLine({ alert }: { alert: Alert }) {
  return (
    <li className="alert-line">
      <Badge look={SEVERITY_LOOK[alert.severity]} />
      <span className="alert-line-text">
        <Link to="/alerts" search={{ open: alert.id }}>
          {alert.name}
        </Link>{" "}
        <span className="dim">{alert.summary}</span>
      </span>
      <span className="dim number">
        <When at={alert.startTime} />
      </span>
      {alert.runbook !== "" && (
        <Link to="/alerts" search={{ open: alert.id }} hash="runbook" className="alert-line-runbook">
          Runbook<span className="unseen"> for {alert.name}</span>
        </Link>
      )}
    </li>
  );
}
