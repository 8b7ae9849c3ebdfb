import { useState } from "react";
import type { Span } from "../api/contract.ts";
import { layOutTrace, type TraceRow } from "../domain/trace-rows.ts";
import { durationText } from "../words/duration-text.ts";
import { Copy } from "./copy.tsx";
import { Empty } from "./states.tsx";
import { Mark } from "./status.tsx";

/** More rows than this are drawn when they are asked for. */
const ROWS = 200;

/** The spans of a trace as bars over one time axis, each below the one that it is a part of. */
export function TraceView({
  traceId,
  spans,
  complete,
}: {
  traceId: string;
  spans: readonly Span[];
  complete: boolean;
}) {
  const [limit, setLimit] = useState(ROWS);
  const { rows, wholeMs } = layOutTrace(spans);
  if (rows.length === 0) return <Empty title="No span of this trace is kept (any more)." />;
  const services = [...new Set(rows.map(({ span }) => span.service))].sort();
  return (
    <>
      <p className="trace-head">
        <span>
          {rows.length} spans, {durationText(wholeMs)}
          {!complete && ", and some that were dropped"}
        </span>
        <span className="id">
          <code>{traceId}</code> <Copy text={traceId} label="the trace id" />
        </span>
      </p>
      <table className="trace">
        <caption className="unseen">Spans by their start</caption>
        <thead>
          <tr>
            <th scope="col">What was done</th>
            <th scope="col" className="trace-axis">
              <span>0</span>
              <span>{durationText(wholeMs / 2)}</span>
              <span>{durationText(wholeMs)}</span>
            </th>
            <th scope="col" className="number">
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, limit).map((row) => (
            <SpanLine key={row.span.spanId} row={row} hue={services.indexOf(row.span.service) % 6} />
          ))}
        </tbody>
      </table>
      {rows.length > limit && (
        <p className="load-more">
          <button type="button" onClick={() => setLimit(limit + 4 * ROWS)}>
            {rows.length - limit} more spans
          </button>
        </p>
      )}
    </>
  );
}

function SpanLine({
  row: { span, depth, from, width, startMs, tookMs },
  hue,
}: {
  row: TraceRow;
  hue: number;
}) {
  const about = Object.entries(span.attributes)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
  return (
    <tr data-failed={span.failed}>
      <th scope="row" title={about}>
        <span className="span-name" style={{ paddingInlineStart: `${Math.min(depth, 12) * 12}px` }}>
          <span className="span-service" data-hue={hue}>
            {span.service}
          </span>{" "}
          {span.name}
          {span.failed && (
            <span className="status plain" data-tone="bad">
              <Mark shape="cross" />
              <span className="unseen">failed</span>
            </span>
          )}
        </span>
      </th>
      <td className="trace-cell">
        <span className="unseen">from {durationText(startMs)}</span>
        <span className="track" aria-hidden="true">
          <span
            className="span-bar"
            data-hue={hue}
            style={{ left: `${from * 100}%`, width: `max(${width * 100}%, 2px)` }}
          />
        </span>
      </td>
      <td className="number">{durationText(tookMs)}</td>
    </tr>
  );
}
