import { EXIT, type ExitCode } from "../exit-code.ts";
import { JOB_COLUMNS, textOf } from "../output/columns.ts";
import { printList } from "../output/printer.ts";
import { objectOf, type Session } from "../session.ts";

/** `job cancel`, `job retry`: asks for the change and prints where the job stands after it. */
export async function changeJobs(
  session: Session,
  verb: "cancel" | "retry",
  ids: readonly string[],
  { reason = "" }: { reason?: string },
): Promise<ExitCode> {
  const { api, format, terminal } = session;
  for (const id of ids) {
    const path = `/v1/jobs/${encodeURIComponent(id)}:${verb}`;
    const { text } = await api.send("POST", path, { body: JSON.stringify(reason === "" ? {} : { reason }) });
    const job = objectOf(text);
    if (format === "table") {
      const asked = job.status === "RUNNING" ? "\tcancellation asked for" : "";
      terminal.data(`${textOf(job.id)}\t${textOf(job.status)}${asked}`);
    } else {
      await printList({ text, rows: [job], columns: JOB_COLUMNS, name: "id" }, format, terminal);
    }
  }
  return EXIT.done;
}
