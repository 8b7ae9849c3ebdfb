import { Link } from "@tanstack/react-router";
import { quoted } from "../domain/query-terms.ts";

/** Labels, each a link to everything that carries it too. */
export function Labels({
  labels,
  to,
}: {
  labels: Readonly<Record<string, string>>;
  to: "/jobs" | "/missions";
}) {
  const entries = Object.entries(labels);
  if (entries.length === 0) return <span className="dim">none</span>;
  return (
    <ul className="labels">
      {entries.map(([key, value]) => (
        <li key={key}>
          <Link to={to} search={{ q: `label.${key}:${quoted(value)}` }}>
            {key}={value}
          </Link>
        </li>
      ))}
    </ul>
  );
}
