import { useSyncExternalStore } from "react";
import { type StoredChoice, storedChoice } from "./stored-choice.ts";

/** The look; `system` follows the system's. src/first-paint.ts sets it before this is loaded. */
export const theme = storedChoice("theme", ["system", "light", "dark"]);
/** How close rows stand. */
export const density = storedChoice("density", ["cosy", "compact"]);
/** The zone of absolute times. */
export const zone = storedChoice("zone", ["local", "utc"]);
/** Whether single keys do anything (WCAG 2.2, 2.1.4: they can be turned off). */
export const singleKeys = storedChoice("keys", ["on", "off"]);

/** Keeps the document's look at what is chosen. */
export function applyAppearance(): void {
  const { dataset } = document.documentElement;
  const apply = () => {
    dataset.theme = theme.get();
    dataset.density = density.get();
  };
  theme.onChange(apply);
  density.onChange(apply);
  apply();
}

/** A choice that draws its reader again when it changes. */
export const useChoice = <C extends string>(choice: StoredChoice<C>): C =>
  useSyncExternalStore(choice.onChange, choice.get);
