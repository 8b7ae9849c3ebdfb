import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useEffect, useId, useState } from "react";
import { Problem } from "../api/problem.ts";
import { queryFault } from "../domain/query-fault.ts";

/** Whether the query itself was refused, which its box shows. */
export const isQueryFault = (error: Error): boolean =>
  error instanceof Problem && queryFault(error) !== undefined;

/**
 * The query of a list. It is searched on the server, over everything; what is wrong with it is shown under it, at its
 * column.
 */
export function QueryBox({
  q,
  to,
  label,
  placeholder,
  error,
}: {
  q: string;
  to: "/jobs" | "/missions";
  label: string;
  placeholder: string;
  error: Error | null;
}) {
  const navigate = useNavigate();
  const id = useId();
  const [text, setText] = useState(q);
  // The address is the truth: going back in history changes what the box says.
  useEffect(() => setText(q), [q]);
  const search = (query: string) =>
    void navigate({ to, search: (before) => ({ ...before, q: query.trim() || undefined }) });
  const fault = error instanceof Problem ? queryFault(error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    search(text);
  };
  return (
    <form className="query" role="search" onSubmit={submit}>
      <label htmlFor={id} className="unseen">
        {label}
      </label>
      <input
        id={id}
        data-search
        type="search"
        value={text}
        placeholder={placeholder}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        maxLength={2_048}
        aria-invalid={fault !== undefined}
        aria-describedby={fault && `${id}-fault`}
        onChange={({ target }) => setText(target.value)}
      />
      <button type="submit">Search</button>
      {fault && (
        <div className="query-fault" id={`${id}-fault`} role="alert">
          <p className="query-caret">
            <span>{fault.before}</span>
            <mark>{fault.wrong || " "}</mark>
            <span>{fault.after}</span>
          </p>
          <p>
            Column {fault.column}: {fault.message}{" "}
            {fault.meant !== undefined && (
              <button type="button" className="ghost" onClick={() => search(fault.meant ?? "")}>
                Search for <code>{fault.meant}</code>
              </button>
            )}
          </p>
        </div>
      )}
    </form>
  );
}
