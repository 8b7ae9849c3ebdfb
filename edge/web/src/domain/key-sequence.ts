/** What a key or two do. */
export type KeyAction =
  | { readonly does: "go"; readonly to: Place }
  | { readonly does: "search" | "help" | "live" | "theme" | "next" | "previous" | "back" };

export type Place = "/" | "/jobs" | "/missions" | "/queues" | "/workers" | "/alerts";

/** Keys after `g`. */
const PLACES: Readonly<Record<string, Place>> = {
  o: "/",
  j: "/jobs",
  m: "/missions",
  q: "/queues",
  w: "/workers",
  a: "/alerts",
};

const SINGLE: Readonly<Record<string, KeyAction["does"]>> = {
  "/": "search",
  "?": "help",
  l: "live",
  T: "theme",
  j: "next",
  k: "previous",
  Escape: "back",
};

/** What the page is told of a key. */
export interface KeyPress {
  readonly key: string;
  /** Control, Alt or the command key: such presses are the browser's. */
  readonly modified: boolean;
}

const SECOND_WITHIN_MS = 1_200;

/** Reads keys one after the other: `g` waits for the second one, for 1.2 seconds. */
export function createKeyReader(nowMs: () => number): (press: KeyPress) => KeyAction | undefined {
  let wentMs = Number.NEGATIVE_INFINITY;
  return ({ key, modified }) => {
    if (modified) return undefined;
    const second = nowMs() - wentMs <= SECOND_WITHIN_MS;
    wentMs = Number.NEGATIVE_INFINITY;
    if (second) {
      const to = Object.hasOwn(PLACES, key) ? PLACES[key] : undefined;
      if (to !== undefined) return { does: "go", to };
    }
    if (key === "g") {
      wentMs = nowMs();
      return undefined;
    }
    const does = Object.hasOwn(SINGLE, key) ? SINGLE[key] : undefined;
    return does === undefined || does === "go" ? undefined : { does };
  };
}
