import { useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { createKeyReader, type KeyAction } from "../domain/key-sequence.ts";
import { singleKeys, theme } from "./appearance.ts";
import { useSession } from "./session.tsx";

const THEMES = ["system", "light", "dark"] as const;

/** Makes single keys do what the dialog of keys says; never while something is typed, and not when they are off. */
export function useKeys({ onHelp }: { onHelp: () => void }): void {
  const navigate = useNavigate();
  const router = useRouter();
  const { feed } = useSession();
  useEffect(() => {
    const read = createKeyReader(() => performance.now());
    const act = (action: KeyAction) => {
      switch (action.does) {
        case "go":
          return void navigate({ to: action.to });
        case "search":
          return document.querySelector<HTMLInputElement>("[data-search]")?.focus();
        case "help":
          return onHelp();
        case "live":
          return feed.state() === "paused" ? feed.resume() : feed.pause();
        case "theme":
          return theme.set(THEMES[(THEMES.indexOf(theme.get()) + 1) % THEMES.length] ?? "system");
        case "next":
          return moveTo(1);
        case "previous":
          return moveTo(-1);
        case "back":
          // A detail page goes back to where it was opened from; a list stays.
          return /^\/(jobs|missions)\/./.test(location.pathname) ? router.history.back() : undefined;
      }
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || document.querySelector("dialog[open]") !== null) return;
      if (isTyping(event.target)) {
        if (event.key === "Escape") (event.target as HTMLElement).blur();
        return;
      }
      if (singleKeys.get() === "off") return;
      const action = read({ key: event.key, modified: event.ctrlKey || event.metaKey || event.altKey });
      if (action === undefined) return;
      event.preventDefault();
      act(action);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate, router, feed, onHelp]);
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Moves the focus to the next row, or the one before; from anywhere else to the first. */
function moveTo(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLAnchorElement>("[data-row] a[data-row-link]")];
  const at = rows.indexOf(document.activeElement as HTMLAnchorElement);
  const row = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + step))];
  row?.focus();
  row?.scrollIntoView({ block: "nearest" });
}
