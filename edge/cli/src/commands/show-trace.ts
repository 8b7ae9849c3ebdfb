import { EXIT, type ExitCode } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { SPAN_COLUMNS, textOf } from "../output/columns.ts";
import { printList } from "../output/printer.ts";
import { waterfall } from "../output/waterfall.ts";
import { objectOf, rowsOf, type Session } from "../session.ts";

const WIDTH_UNLESS_KNOWN = 120;

/** `job trace`, `mission trace`: the spans of a trace, as a waterfall for a person. */
export async function showTrace(
  { api, format, terminal }: Session,
  noun: "jobs" | "missions",
  id: string,
): Promise<ExitCode> {
  const { text } = await api.send("GET", `/v1/observatory/${noun}/${encodeURIComponent(id)}/trace`);
  const trace = objectOf(text);
  const spans = rowsOf(trace, "spans");
  if (spans.length === 0) {
    throw new Failure(`no span of trace ${textOf(trace.traceId)} is kept`, {
      exitCode: EXIT.notFound,
      fix: "spans come in a moment after the work, and the oldest traces are dropped: see ORRERY_TRACE_RATIO",
    });
  }
  if (format !== "table" && format !== "wide") {
    await printList({ text, rows: spans, columns: SPAN_COLUMNS, name: "spanId" }, format, terminal);
    return EXIT.done;
  }
  terminal.talk(terminal.paintTalk("gray", `trace ${textOf(trace.traceId)}, ${spans.length} spans`));
  const columns = terminal.columns ?? WIDTH_UNLESS_KNOWN;
  for (const line of waterfall(spans, { columns, paint: terminal.paint })) terminal.data(line);
  if (trace.complete === false) terminal.talk("older spans of this trace were dropped");
  return EXIT.done;
}
