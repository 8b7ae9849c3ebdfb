import { EXIT, type ExitCode } from "../exit-code.ts";
import { JOB_COLUMNS, MISSION_COLUMNS, textOf } from "../output/columns.ts";
import { printList } from "../output/printer.ts";
import { objectOf, type Session } from "../session.ts";
import { attentionFix } from "./follow-mission.ts";

/** A command route and what it is for. */
export interface Change {
  readonly noun: "jobs" | "missions";
  readonly verb: "cancel" | "retry";
}

/** `job|mission cancel|retry`: asks for the change and prints where each stands after it. */
export async function changeAll(
  session: Session,
  { noun, verb }: Change,
  ids: readonly string[],
  { reason = "" }: { reason?: string },
): Promise<ExitCode> {
  const { api, format, terminal } = session;
  const columns = noun === "jobs" ? JOB_COLUMNS : MISSION_COLUMNS;
  for (const id of ids) {
    const path = `/v1/${noun}/${encodeURIComponent(id)}:${verb}`;
    const { text } = await api.send("POST", path, { body: JSON.stringify(reason === "" ? {} : { reason }) });
    const changed = objectOf(text);
    if (format === "table") {
      const asked = changed.status === "RUNNING" ? "\tcancellation asked for" : "";
      terminal.data(`${textOf(changed.id)}\t${textOf(changed.status)}${asked}`);
    } else {
      await printList({ text, rows: [changed], columns, name: "id" }, format, terminal);
    }
    if (verb === "cancel" && changed.status === "NEEDS_ATTENTION") {
      terminal.talk("it waits for a person first; once that is settled, what was done is undone");
      terminal.talk(`fix: ${attentionFix(changed)}`);
    }
  }
  return EXIT.done;
}
