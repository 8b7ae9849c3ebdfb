import { Link } from "@tanstack/react-router";

/** Views of one thing, each with an address of its own. `param` is the part of the address that names the view. */
export function Tabs({
  label,
  param,
  tabs,
  current,
}: {
  label: string;
  param: "tab" | "view" | "show";
  tabs: readonly (readonly [name: string, text: string])[];
  current: string;
}) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map(([name, text], index) => (
        <Link
          key={name}
          to="."
          search={(before) => ({ ...before, [param]: index === 0 ? undefined : name })}
          replace
          resetScroll={false}
          // The router would call the first tab open as well: its address is a part of every other one's.
          activeOptions={{ exact: true, explicitUndefined: true }}
          aria-current={name === current ? "page" : undefined}
        >
          {text}
        </Link>
      ))}
    </nav>
  );
}
