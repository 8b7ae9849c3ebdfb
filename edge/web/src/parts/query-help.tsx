const JOB_FIELDS =
  "id task queue status priority attempt created started finished wait duration error.type error.message worker mission step label.KEY";
const MISSION_FIELDS = "id name status step created started finished label.KEY";

const EXAMPLES = {
  jobs: [
    ["status:failed task:video.*", "failed, of tasks that begin so"],
    ["created:>-2h -queue:bulk", "of the last two hours, not in queue bulk"],
    ["status:queued,retrying attempt:>1", "either status, tried more than once"],
    ["error.message:~timeout OR duration:>30s", "a word of the error, or slow"],
  ],
  missions: [
    ["status:needs_attention", "what cannot go on by itself"],
    ["name:order.* created:>-1d", "of one name, of the last day"],
    ["step:charge -status:succeeded", "with that step, not succeeded"],
  ],
} as const;

/** The query language in one look. */
export function QueryHelp({ of }: { of: "jobs" | "missions" }) {
  return (
    <details className="query-help">
      <summary>Query language</summary>
      <p className="dim">
        Fields: <code>{of === "jobs" ? JOB_FIELDS : MISSION_FIELDS}</code>. A comma means any of;{" "}
        <code>-</code> means not; <code>a..b</code> is a range; words without a field are searched for
        everywhere.
      </p>
      <ul>
        {EXAMPLES[of].map(([query, meaning]) => (
          <li key={query}>
            <code>{query}</code> <span className="dim">{meaning}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
